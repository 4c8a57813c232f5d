"""Edits that fixes are made of: instructions moved or removed, commands taken out of a chain."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.model.dockerfile import Span
from memlint.model.finding import Edit

if TYPE_CHECKING:
    from memlint.lint.facts import Step
    from memlint.model.dockerfile import Dockerfile, Instruction

_JOINT = r"\s*(?:&&|;)\s*"


def lines_of(dockerfile: Dockerfile, instruction: Instruction) -> str:
    """The text of an instruction's lines, with the line end."""
    lines = dockerfile.text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return "\n".join(lines[instruction.span.line - 1 : instruction.span.end_line]) + "\n"


def removed(instruction: Instruction) -> Edit:
    """Takes an instruction out, with its lines."""
    return Edit(Span(instruction.span.line, 1, instruction.span.end_line + 1, 1), "")


def inserted_below(dockerfile: Dockerfile, instruction: Instruction, text: str) -> Edit:
    """Puts lines (with their line end) below an instruction."""
    line = instruction.span.end_line + 1
    lines = dockerfile.text.count("\n") + 1
    ends = line <= lines  # else the file lacks its last line end
    return Edit(Span(line, 1, line, 1), text if ends else "\n" + text.removesuffix("\n"))


def with_flag(instruction: Instruction, flag: str) -> Edit:
    """Adds a flag before the arguments, in whichever form these are."""
    line, column = instruction.at(0)
    return Edit(Span(line, column, line, column), f"{flag} ")


def without_command(step: Step, index: int) -> tuple[Edit, ...] | None:
    """Takes the command of that number out of a RUN's chain; None where more than plain `&&` and `;` hold it there."""
    commands, instruction = step.commands or (), step.instruction
    placed = commands[index]
    if instruction.json or instruction.heredocs or placed.command.conditional:
        return None
    if len(commands) == 1:
        return (removed(instruction),)
    value, command = instruction.value, placed.command
    before = commands[index - 1] if index else None
    after = commands[index + 1] if index + 1 < len(commands) else None
    left = value[before.command.end if before else 0 : command.start]
    right = value[command.end : after.command.start if after else len(value)]
    if not (re.fullmatch(_JOINT, left) if before else not left.strip()):
        return None
    if not (re.fullmatch(_JOINT, right) if after else not right.strip()):
        return None
    start = (before.span.end_line, before.span.end_column) if before else (placed.span.line, placed.span.column)
    end = (
        (placed.span.end_line, placed.span.end_column) if before or not after else (after.span.line, after.span.column)
    )
    return (Edit(Span(*start, *end), ""),)
