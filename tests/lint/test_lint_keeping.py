"""What a repair leaves alone: every instruction that its edits are not about."""

from __future__ import annotations

import pytest

from memlint.dockerfile.parser import parse_dockerfile
from memlint.lint.fixes import apply_edits
from memlint.lint.keeping import keeps_the_rest
from memlint.model.dockerfile import Span
from memlint.model.finding import Edit

TEXT = 'FROM debian:12\nCOPY ["a", "/b"]\nARG X\nRUN one && \\\n  # why\n  two\nRUN three\n'


def edit(line: int, column: int, end_line: int, end_column: int, text: str = "") -> Edit:
    return Edit(Span(line, column, end_line, end_column), text)


def kept(*edits: Edit) -> bool:
    before = TEXT.encode()
    old, new = (parse_dockerfile(each, "Dockerfile") for each in (before, apply_edits(before, edits)))
    return keeps_the_rest(old, new, edits)


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ([], "nothing changes"),
        ([edit(2, 6, 2, 6, "--chmod=755 ")], "a flag is added"),
        ([edit(3, 1, 4, 1)], "an instruction goes"),
        ([edit(3, 1, 4, 1), edit(7, 1, 7, 1, "ARG X\n")], "an instruction is moved down"),
        ([edit(7, 1, 8, 1), edit(2, 1, 2, 1, "RUN three\n")], "an instruction is moved up"),
        ([edit(4, 8, 6, 6)], "a command goes"),
        ([edit(5, 1, 6, 1)], "a comment goes"),
        ([edit(1, 13, 1, 15, "13")], "a word becomes another"),
    ],
)
def test_a_repair_of_what_it_is_about(edits: list[Edit], why: str) -> None:
    assert kept(*edits), why


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ([edit(2, 7, 2, 7, "--chmod=755 ")], "the JSON form is lost"),
        ([edit(2, 8, 2, 8, "x")], "a word is another although a flag was to be added"),
        ([edit(2, 6, 2, 17, "a /b")], "the form changes"),
        ([edit(7, 1, 7, 4, "CMD")], "the keyword changes"),
        ([edit(3, 1, 4, 1), edit(7, 1, 7, 1, "ARG Y\n")], "what is moved is another one then"),
        ([edit(3, 1, 4, 1), edit(7, 1, 7, 1, "ARG X\nARG X\n")], "what is moved is there twice"),
        ([edit(7, 1, 7, 1, "USER a\n")], "an instruction comes from nowhere"),
        ([edit(3, 6, 3, 6, " \\")], "the next instruction is swallowed"),
        ([edit(6, 3, 6, 6), edit(4, 8, 4, 8, "\nRUN x #")], "the next instruction is swallowed by what is left"),
    ],
)
def test_a_repair_that_touches_more(edits: list[Edit], why: str) -> None:
    assert not kept(*edits), why
