"""Edits of a text by the places of its Dockerfile: all that no edit covers stays as it was, byte by byte."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from memlint.model.dockerfile import Instruction, Span
from memlint.model.finding import Edit


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after all edits; of those that begin at one place, the first given comes first."""
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.line, edit.span.column)):
        start = _offset(starts, edit.span.line, edit.span.column, len(text))
        parts += [text[at:start], edit.text]
        at = max(at, _offset(starts, edit.span.end_line, edit.span.end_column, len(text)))
    return "".join([*parts, text[at:]])


def line_end(text: str) -> str:
    """What ends the lines of a file: the end of its first."""
    return "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"


def replaced(span: Span, text: str) -> Edit:
    """What a span covers becomes the text."""
    return Edit(span, text)


def removed(instruction: Instruction) -> Edit:
    """An instruction goes with its lines."""
    return Edit(Span(instruction.span.line, 1, instruction.span.end_line + 1, 1), "")


def inserted_above(instruction: Instruction, text: str) -> Edit:
    """Lines, with their ends, come before an instruction."""
    line = instruction.span.line
    return Edit(Span(line, 1, line, 1), text)


def inserted_below(instruction: Instruction, text: str) -> Edit:
    """Lines, with their ends, come after an instruction that is not the last of its file."""
    line = instruction.span.end_line + 1
    return Edit(Span(line, 1, line, 1), text)


def appended(instruction: Instruction, text: str) -> Edit:
    """The text follows an instruction's last character."""
    line, column = instruction.span.end_line, instruction.span.end_column
    return Edit(Span(line, column, line, column), text)


def _offset(starts: list[int], line: int, column: int, end: int) -> int:
    return min(starts[line - 1] + column - 1, end) if line <= len(starts) else end
