"""Edits that fixes are made of: instructions moved or removed, commands taken out of a chain."""

from __future__ import annotations

import re
from itertools import pairwise

from memlint import TYPE_CHECKING
from memlint.model.dockerfile import Span
from memlint.model.finding import Edit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Step
    from memlint.model.dockerfile import Dockerfile, Instruction

_JOINT = r"\s*(?:&&|;)\s*"


def removed(instruction: Instruction) -> Edit:
    """Takes an instruction out, with its lines."""
    return Edit(Span(instruction.span.line, 1, instruction.span.end_line + 1, 1), "")


def moved(dockerfile: Dockerfile, instruction: Instruction, above: Instruction) -> tuple[Edit, ...]:
    """Puts an instruction below another one, with the comments directly above it: they are about it."""
    lines = dockerfile.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    first = instruction.span.line
    while first > 1 and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    text = "".join(f"{line}\n" for line in lines[first - 1 : instruction.span.end_line])
    line = above.span.end_line + 1
    if line > len(lines):  # it lacks its line end
        text = "\n" + text.removesuffix("\n")
    return Edit(Span(first, 1, instruction.span.end_line + 1, 1), ""), Edit(Span(line, 1, line, 1), text)


def with_flag(instruction: Instruction, flag: str) -> Edit:
    """Adds a flag before the arguments, in whichever form these are."""
    line, column = instruction.at(0)
    return Edit(Span(line, column, line, column), f"{flag} ")


def without_command(step: Step, index: int) -> tuple[Edit, ...] | None:
    """Takes the command of that number out of a RUN's chain; None where more than plain `&&` and `;` hold it there."""
    commands, instruction = step.commands or (), step.instruction
    command, value = commands[index].command, instruction.value
    if instruction.json or instruction.heredocs or command.conditional:
        return None
    if len(commands) == 1:
        return (removed(instruction),)
    before = commands[index - 1].command.end if index else None
    after = commands[index + 1].command.start if index + 1 < len(commands) else None
    left = value[before or 0 : command.start]
    right = value[command.end : len(value) if after is None else after]
    if not (left.strip() == "" if before is None else re.fullmatch(_JOINT, left)):
        return None
    if not (right.strip() == "" if after is None else re.fullmatch(_JOINT, right)):
        return None
    if before is not None and "&&" in left:
        return (Edit(instruction.span_of(before, command.end), ""),)
    # whether the one before fails did not matter: it must neither end the RUN now nor hold back the next one
    if after is not None:
        return _taken_out(instruction, command.start, after)
    return (Edit(instruction.span_of(before or 0, command.end), ""),) if _stops(commands[:index]) else None


def _taken_out(instruction: Instruction, start: int, end: int) -> tuple[Edit, ...]:
    """Takes `value[start:end]` out, but no comment that stands between its lines."""
    whole = instruction.span_of(start, end)
    cuts = [start, *(offset for offset in instruction.offsets if start < offset < end), end]
    parts = [(first, last) for first, last in pairwise(cuts) if instruction.value[first:last].strip()]
    if len(cuts) - 1 > whole.end_line - whole.line:
        return (Edit(whole, ""),)
    return tuple(Edit(instruction.span_of(first, last), "") for first, last in parts)


def _stops(commands: Iterable[Placed]) -> bool:
    """Whether the shell ends where one of its commands fails: `set -e`."""
    options = (word.text or "" for each in commands if each.command.name == "set" for word in each.command.arguments)
    return any(re.match(r"-\w*e", option) for option in options)
