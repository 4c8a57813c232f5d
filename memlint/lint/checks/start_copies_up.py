"""What runs when a container starts rewrites files of the image, or installs more of them."""

from __future__ import annotations

import re
from itertools import pairwise
from posixpath import basename

from memlint import TYPE_CHECKING
from memlint.dockerfile.expand import expand
from memlint.dockerfile.shell import parse_shell
from memlint.lint.image import copy_of, images_of, steps_of, told_once
from memlint.lint.installing import context_file
from memlint.lint.lower import Lower
from memlint.lint.paths import is_below, join
from memlint.lint.rewrites import rewrite_of
from memlint.lint.upgrades import upgraded_by
from memlint.model.finding import Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Command
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Instruction

_RECURSIVE = ("chown", "chmod", "chgrp")
_SYSTEM_WIDE = {
    "apt-get": ("install",),
    "apt": ("install",),
    "apk": ("add",),
    "dnf": ("install",),
    "microdnf": ("install",),
    "yum": ("install",),
    "pip": ("install",),
    "pip3": ("install",),
    "gem": ("install",),
    "conda": ("install",),
}
"""What these install goes to directories of the image."""
_PROJECT = {
    "npm": ("install", "ci", "i"),
    "yarn": ("install", ""),
    "pnpm": ("install", "i"),
    "bundle": ("install", ""),
    "poetry": ("install",),
    "pipenv": ("install", "sync"),
    "uv": ("sync",),
}
"""These install for the project in the working directory, which may be a mount."""
_WRAPPERS = frozenset(("bash", "catatonit", "dumb-init", "env", "gosu", "init", "setpriv", "sh", "su-exec", "tini"))
"""Programs that run the command in their arguments."""
_SHEBANG = r"#!\s*\S*/(?:env\s+)?(?:sh|bash|dash|ash)\b"


def start_copies_up(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """The commands of CMD, ENTRYPOINT and the start script that write below what the image holds."""
    images = images_of(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages, repository) for stages in images)


def _in_image(dockerfile: Dockerfile, stages: Sequence[StageFacts], repository: Repository) -> Iterator[Hit]:
    facts, steps = repository.facts(dockerfile), steps_of(stages)
    lower = Lower(stages, facts)
    for step in steps:
        lower.add(step)
    volumes = _volumes(steps)
    for step in _starts(steps):
        seen: set[str] = set()
        for command, where in _commands(step, steps, facts, dockerfile, repository):
            target = _written(command, lower, volumes, steps)
            if target and target not in seen:
                seen.add(target)
                yield Hit(
                    location=Location(dockerfile.path, step.instruction.span),
                    evidence={"command": _short(command) + where, "target": target},
                )


def _starts(steps: Sequence[Step]) -> Iterator[Step]:
    """The ENTRYPOINT and the CMD that are in force; beside an ENTRYPOINT only a CMD that it runs."""
    entrypoints, commands = (
        [step for step in steps if step.instruction.keyword == keyword] for keyword in ("ENTRYPOINT", "CMD")
    )
    yield from entrypoints[-1:]
    if not entrypoints or _passes_on(entrypoints[-1].instruction):
        yield from commands[-1:]


def _passes_on(entrypoint: Instruction) -> bool:
    """Whether it runs what it gets as arguments: none in shell form does, and most programs take them otherwise."""
    if not entrypoint.json or not entrypoint.words:
        return entrypoint.json
    name = basename(entrypoint.words[0].text)
    return name in _WRAPPERS or name.endswith(".sh") or "entrypoint" in name


def _volumes(steps: Sequence[Step]) -> list[str]:
    words = [
        (word.text, step) for step in steps if step.instruction.keyword == "VOLUME" for word in step.instruction.words
    ]
    paths = (join(step.directory, expand(text, step.environment) or text) for text, step in words)
    return [path for path in paths if path]


def _commands(
    step: Step, steps: Sequence[Step], facts: Facts, dockerfile: Dockerfile, repository: Repository
) -> Iterator[tuple[Command, str]]:
    """What runs: the commands of the instruction, and those of a script that it names. With where, in words."""
    for placed in step.commands or ():
        yield placed.command, ""
        for word in placed.command.words[:3]:
            name = word.text or ""
            script = _script(name, step, steps, facts, dockerfile, repository) if name[:1] not in ("", "-") else None
            if script is not None:
                text, named = script
                commands = parse_shell(text, step.environment, step.directory) or ()
                yield from ((command, f" in {named}:{_line(text, command)}") for command in commands)
                break


def _line(text: str, command: Command) -> int:
    return text.count("\n", 0, command.start) + 1


def _script(
    name: str, step: Step, steps: Sequence[Step], facts: Facts, dockerfile: Dockerfile, repository: Repository
) -> tuple[str, str] | None:
    """The text of a shell script that the image starts, and its name: from the build context or a here-document."""
    path = join(step.directory, name) if "/" in name else None
    for each in reversed(steps):
        copy = copy_of(each, facts)
        if copy is None or copy.target is None:
            continue
        documents = {copy.target: each.instruction.heredocs[0].content} if len(each.instruction.heredocs) == 1 else {}
        wanted = path or _in_path(
            name, [copy.target, *(f"{copy.target}/{basename(source)}" for source in copy.sources)]
        )
        if wanted in documents:
            return _shell(documents[wanted], name)
        source = copy.source_of(wanted) if wanted else None
        if source is not None:
            return _shell(context_file(source, dockerfile, repository), source)
    return None


def _in_path(name: str, candidates: Sequence[str]) -> str | None:
    return next((path for path in candidates if basename(path) == name), None)


def _shell(text: str | None, name: str) -> tuple[str, str] | None:
    if text is None or (text.startswith("#!") and not re.match(_SHEBANG, text)):
        return None
    return text.replace("\r\n", "\n"), name.removeprefix("./")


def _written(command: Command, lower: Lower, volumes: Sequence[str], steps: Sequence[Step]) -> str | None:
    """What the command writes into the container's own layer, in words."""
    upgraded = None if command.conditional else upgraded_by(command)
    if upgraded:
        return upgraded
    installed = _installed(command, lower, volumes, steps)
    if installed:
        return installed
    rewrite = rewrite_of(command, command.directory)
    if rewrite is None or not _as_root(steps):
        return None
    for target in rewrite.targets:
        if any(is_below(target, volume) for volume in volumes):
            continue
        if rewrite.recursive and lower.application(target.removesuffix("/*") or "/"):
            return f"all files in {target.removesuffix('/*') or '/'}"
        if not rewrite.recursive and lower.program(target):
            return target
    return None


def _as_root(steps: Sequence[Step]) -> bool:
    users = [step.instruction.value.strip() for step in steps if step.instruction.keyword == "USER"]
    return not users or users[-1].partition(":")[0] in ("root", "0")


def _installed(command: Command, lower: Lower, volumes: Sequence[str], steps: Sequence[Step]) -> str | None:
    """The install that the command is, unless the image has it already, or it goes to a volume or a mount."""
    found = _install(command)
    if found is None or command.conditional:
        return None
    name, subcommand = found
    if subcommand in _SYSTEM_WIDE.get(name, ()):
        return None if _has_lists(command, steps) else f"what {name} installs"
    directory = command.directory
    if subcommand not in _PROJECT.get(name, ()) or directory is None or not lower.holds(directory):
        return None
    if any(is_below(directory, volume) for volume in volumes):
        return None
    done = any(
        _install(placed.command) == found
        for step in steps
        for placed in step.commands or ()
        if step.instruction.keyword == "RUN"
    )
    return None if done else f"what {name} installs"


def _has_lists(command: Command, steps: Sequence[Step]) -> bool:
    """Whether what it installs are lists of packages that the image has installed: it finds nothing left to do."""
    built = {basename(file) for step in steps for install in step.installs for file in install.files}
    words = [word.text or "" for word in command.arguments]
    listed = {basename(following) for word, following in pairwise(words) if word in ("-r", "--requirement")}
    return bool(listed) and listed <= built


def _install(command: Command) -> tuple[str, str] | None:
    """The manager and its subcommand."""
    texts = [word.text for word in command.arguments]
    name = command.name or ""
    if re.fullmatch(r"python[\d.]*", name) and texts[:2] == ["-m", "pip"]:
        name, texts = "pip", texts[2:]
    if any(text in ("-h", "--help", "--dry-run", "--version", "-g", "--global") for text in texts):
        return None
    operands = [text for text in texts if text is None or not text.startswith("-")]
    return (name, (operands[0] or "?") if operands else "") if name in _SYSTEM_WIDE or name in _PROJECT else None


def _short(command: Command) -> str:
    text = " ".join(word.raw for word in command.words)
    return text if len(text) <= 60 else text[:57] + "…"
