"""What runs when a container starts rewrites files of the image, or installs more of them."""

from __future__ import annotations

import re
from itertools import pairwise
from posixpath import basename

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell import Placed, parse_shell
from memlint.lint.image import images_of, steps_of, told_once
from memlint.lint.lower import Lower
from memlint.lint.paths import directories, join
from memlint.lint.rewrites import rewrite_of
from memlint.lint.scripts import Scripts
from memlint.lint.upgrades import upgraded_by
from memlint.model.finding import Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from memlint.dockerfile.shell import Command
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.repository import Repository
    from memlint.lint.scripts import Script
    from memlint.model.dockerfile import Dockerfile, Instruction

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


def start_copies_up(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """The commands of CMD, ENTRYPOINT and the start script that write below what the image holds."""
    images = images_of(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages, repository) for stages in images)


class _Image(msgspec.Struct, frozen=True):
    """What an image holds when it starts.

    - `lists` and `installed`: the names of the lists whose packages are there, and the installs that were run.
    - `as_root`: by USER, or because there is none.
    """

    lower: Lower
    volumes: frozenset[str]
    lists: frozenset[str]
    installed: frozenset[tuple[str, str]]
    as_root: bool


def _in_image(dockerfile: Dockerfile, stages: Sequence[StageFacts], repository: Repository) -> Iterator[Hit]:
    facts, steps = repository.facts(dockerfile), steps_of(stages)
    starts = [*_starts(steps)]
    if not starts:
        return
    image, scripts = _image(stages, steps, facts), Scripts(steps, facts, repository)
    for step in starts:
        seen: set[str] = set()
        for placed, script in _commands(step, scripts):
            target = _written(placed, image)
            if target and target not in seen:
                seen.add(target)
                yield Hit(
                    location=Location(dockerfile.path, step.instruction.span),
                    evidence={"command": _short(placed.command) + _where(placed, script), "target": target},
                )


def _image(stages: Sequence[StageFacts], steps: Sequence[Step], facts: Facts) -> _Image:
    lower = Lower(stages, facts)
    for step in steps:
        lower.add(step)
    users = [step.instruction.value.strip() for step in steps if step.instruction.keyword == "USER"]
    ran = (placed.command for step in steps if step.instruction.keyword == "RUN" for placed in step.commands or ())
    return _Image(
        lower=lower,
        volumes=frozenset(_volumes(steps)),
        lists=frozenset(basename(file) for step in steps for install in step.installs for file in install.files),
        installed=frozenset(found for command in ran if (found := _install(command))),
        as_root=not users or users[-1].partition(":")[0] in ("root", "0"),
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
    paths = (join(step.directory, step.expanded(text) or text) for text, step in words)
    return [path for path in paths if path]


def _commands(step: Step, scripts: Scripts) -> Iterator[tuple[Placed, Script | None]]:
    """What runs: the commands of the instruction, and those of the scripts that it names, each with its script."""
    read: set[Script] = set()
    for placed in step.commands or ():
        yield placed, None
        names = [word.text or "" for word in placed.command.words[:3]]
        found = (scripts.find(name, step.directory) for name in names if name[:1] not in ("", "-"))
        script = next((each for each in found if each is not None), None)
        if script is not None and script not in read:
            read.add(script)
            commands = parse_shell(script.text, step.environment, step.directory) or ()
            yield from ((Placed(command, script.locate), script) for command in commands)


def _where(placed: Placed, script: Script | None) -> str:
    return "" if script is None else f" in {script.name}:{placed.span.line}"


def _written(placed: Placed, image: _Image) -> str | None:
    """What the command writes into the container's own layer, in words."""
    command = placed.command
    upgraded = None if command.conditional else upgraded_by(placed)
    if upgraded:
        return upgraded
    installed = _installed(command, image)
    if installed:
        return installed
    rewrite = rewrite_of(command, command.directory)
    if rewrite is None or not image.as_root:
        return None
    for target in rewrite.targets:
        if _is_in(target, image.volumes):
            continue
        if rewrite.recursive and image.lower.application(target.removesuffix("/*") or "/"):
            return f"all files in {target.removesuffix('/*') or '/'}"
        if not rewrite.recursive and image.lower.program(target):
            return target
    return None


def _is_in(path: str, volumes: Set[str]) -> bool:
    return any(directory in volumes for directory in directories(path))


def _installed(command: Command, image: _Image) -> str | None:
    """The install that the command is, unless the image has it already, or it goes to a volume or a mount."""
    found = _install(command)
    if found is None or command.conditional:
        return None
    name, subcommand = found
    if subcommand in _SYSTEM_WIDE.get(name, ()):
        return None if _lists(command) and _lists(command) <= image.lists else f"what {name} installs"
    directory = command.directory
    if subcommand not in _PROJECT.get(name, ()) or directory is None or not image.lower.holds(directory):
        return None
    return None if found in image.installed or _is_in(directory, image.volumes) else f"what {name} installs"


def _lists(command: Command) -> set[str]:
    """The names of the lists of packages that it installs: of what is there already it finds nothing left to do."""
    words = [word.text or "" for word in command.arguments]
    return {basename(following) for word, following in pairwise(words) if word in ("-r", "--requirement")}


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
