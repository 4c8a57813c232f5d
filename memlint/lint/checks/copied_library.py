"""A program or library of the system is copied to another path of the same image."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.lint.image import final_stages, steps_with_triggers
from memlint.lint.paths import directories, is_below, is_library, is_program, is_system_file, join
from memlint.model.finding import Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.dockerfile.shell import Command
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile

_LINKS = ("-s", "--symbolic-link", "-l", "--link")


def copied_library(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each `cp` of a program or library from where the system keeps them, unless the same RUN removes the original."""
    for step in steps_with_triggers(final_stages(dockerfile, repository)):
        commands = step.commands or () if step.instruction.keyword == "RUN" else ()
        removed = {path for placed in commands if placed.command.name == "rm" for path in _operands(placed.command)}
        for placed in commands:
            target = None if placed.command.conditional else _copied(placed.command)
            if target is not None and removed.isdisjoint(directories(target)):
                yield Hit(
                    location=Location(dockerfile.path, placed.span),
                    evidence={"command": "cp", "target": target},
                )


def _copied(command: Command) -> str | None:
    if command.name != "cp" or any(_links(word.text) for word in command.arguments):
        return None
    paths = _operands(command)
    if len(paths) < 2 or is_below(paths[-1], "/tmp"):  # noqa: S108 - a path of the image
        return None
    for path in paths[:-1]:
        if is_system_file(path) and (is_library(path) or ("*" not in path and is_program(path))):
            return path
    return None


def _links(text: str | None) -> bool:
    if text is None or not text.startswith("-"):
        return False
    return text in _LINKS or (not text.startswith("--") and ("s" in text or "l" in text))


def _operands(command: Command) -> list[str]:
    words = [word.text for word in command.arguments if word.text is not None and not word.text.startswith("-")]
    return [path for text in words if (path := join(command.directory, text))]
