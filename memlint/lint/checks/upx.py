"""A program that gets into the image is packed with UPX."""

from __future__ import annotations

import re
from itertools import pairwise

from memlint import TYPE_CHECKING
from memlint.lint.edits import without_command
from memlint.lint.image import copy_of, final_stages, reaching
from memlint.lint.paths import directories, join
from memlint.model.finding import Fix, Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Command, ShellWord
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile

_NOT_PACKING = frozenset(
    (
        *("-d", "--decompress", "-t", "--test", "-l", "--list", "-V", "--version", "-h", "--help", "-L", "--license"),
        *("--sysinfo", "--fileinfo"),
    )
)
_NAMES = ("upx", "upx-ucl", "goupx")
_OUTPUT = r"(?:-[0-9a-zA-Z]*?o|--out[a-z]*(?==|\Z))(.*)"
"""The option that has the packed program written elsewhere, and its value, should that be in the same word."""


def upx(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each packing, in the image and in the stages from which something is copied into it."""
    stages, final = reaching(dockerfile, repository), final_stages(dockerfile, repository)
    copied = _copied(stages, repository.facts(dockerfile)) if any(_runs_upx(stage) for stage in stages) else frozenset()
    for stage in stages:
        for step in stage.steps:
            tested = any(each.command.name in _NAMES and _packed(each.command) is None for each in step.commands or ())
            for number, placed in enumerate(step.commands or () if step.instruction.keyword == "RUN" else ()):
                target = _packed(placed.command)
                output = None if stage in final else _output(placed.command)
                if target is None or (output and copied.isdisjoint(directories(output))):
                    continue
                yield Hit(
                    location=Location(dockerfile.path, placed.span),
                    evidence={"command": "upx", "target": target},
                    fix=None if tested else _fix(step, number),  # a test of what is not packed would fail
                )


def _runs_upx(stage: StageFacts) -> bool:
    return not (stage.programs or frozenset()).isdisjoint(_NAMES)


def _packed(command: Command) -> str | None:
    """What the command packs, as it is written; None when it packs nothing."""
    words = list(command.arguments)
    if command.name == "find":
        texts = [word.text for word in words]
        if "-exec" not in texts[:-1] or texts[texts.index("-exec") + 1] not in _NAMES:
            return None
        words = words[texts.index("-exec") + 2 :]
    elif command.name not in _NAMES:
        return None
    if not words or any(word.text in _NOT_PACKING for word in words):
        return None
    values = [following.raw for word, following in pairwise(words) if _takes_output(word)]
    files = [word.raw for word in words if word.raw and not word.raw.startswith(("-", "\\;", ";", "{}", "+", "';'"))]
    return next((file for file in reversed(files) if file not in values), "programs")


def _takes_output(word: ShellWord) -> bool:
    option = re.match(_OUTPUT, word.text or "")
    return option is not None and not option[1]


def _output(command: Command) -> str | None:
    """Where `-o` puts what is packed, from the root; None without it, and where that is not known."""
    if command.name == "find":
        return None  # there it means "or"
    found = ""
    for word, following in pairwise([*(word.text or "" for word in command.arguments), ""]):
        option = re.match(_OUTPUT, word)
        if option:
            found = option[1].removeprefix("=") or following
    return join(command.directory, found) if found else None


def _copied(stages: Sequence[StageFacts], facts: Facts) -> frozenset[str]:
    """All that a `COPY --from` takes: files, and directories with what lies in them."""
    copies = (copy_of(step, facts) for stage in stages for step in stage.steps)
    sources = (source for copy in copies if copy and copy.stage is not None for source in copy.sources)
    return frozenset("/" if "*" in source else join("/", source) or "/" for source in sources)


def _fix(step: Step, number: int) -> Fix | None:
    """Leaves the packing out, where the unpacked program is at the path that the packed one would have."""
    command = (step.commands or ())[number].command
    if command.name == "find" or any(re.match(_OUTPUT, word.text or word.prefix) for word in command.arguments):
        return None
    edits = without_command(step, number)
    return Fix(edits, safe=False, description="leave the program unpacked") if edits else None
