"""From a RUN in any of its forms to its commands and their places in the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlint.dockerfile.parser import parse_dockerfile
from memlint.dockerfile.shell import Placed, commands_of
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Instruction, Span


def instruction_of(text: str) -> tuple[str, Instruction]:
    text = f"FROM debian\n{text}\n"
    return text, parse_dockerfile(text).stages[0].instructions[0]


def placed(text: str) -> tuple[Placed, ...] | None:
    text, instruction = instruction_of(text)
    return commands_of(instruction, {"A": "one"}, "/w", text)


def at(text: str, span: Span) -> str:
    """What stands there, lines joined by a newline."""
    lines = f"FROM debian\n{text}\n".split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("RUN a b && c", [["a", "b"], ["c"]]),
        ("RUN --mount=type=cache,target=/x --network=none a b", [["a", "b"]]),
        ("RUN a \\\n  b \\\n# comment\n\n  && c", [["a", "b"], ["c"]]),
        ('RUN ["a", "b c", "$A"]', [["a", "b c", "$A"]]),
        ('RUN ["/bin/sh", "-c", "a \\"b c\\" && d $A"]', [["a", "b c"], ["d", "one"]]),
        ('RUN ["bash", "-euo", "pipefail", "-c", "a\\u0020b"]', [["a", "b"]]),
        ('RUN ["sh", "script.sh"]', [["sh", "script.sh"]]),
        ("RUN <<EOF\na b\nc $A\nEOF", [["a", "b"], ["c", "one"]]),
        ("RUN <<-'EOF'\n\ta b\n\t\tc\n\tEOF", [["a", "b"], ["c"]]),
        ("RUN <<EOF\n#!/bin/bash -e\na\nEOF", [["a"]]),
        ("RUN <<EOF\n#!/usr/bin/env bash\na\nEOF", [["a"]]),
        ("RUN bash -e <<EOF\na \\\n  b\nEOF", [["a", "b"]]),
        ("RUN <<EOF bash\na\nEOF", [["a"]]),
        ("RUN cat <<EOF > /f && chmod +x /f\nnot 'a command\nEOF", [["cat"], ["chmod", "+x", "/f"]]),
        ("RUN cat <<A <<B && c\na\nA\nb\nB", [["cat"], ["c"]]),
        ("RUN <<EOF\ncat <<INNER > f\nx $(y\nINNER\nz\nEOF", [["cat"], ["z"]]),
        ("CMD a && exec b", [["a"], ["exec", "b"]]),
        ('ENTRYPOINT ["tini", "--", "a"]', [["tini", "--", "a"]]),
        ("RUN []", []),
    ],
)
def test_the_forms(text: str, commands: list[list[str]]) -> None:
    found = placed(text)
    assert found is not None
    assert [[word.text for word in each.command.words] for each in found] == commands


@pytest.mark.parametrize(
    "text",
    [
        "COPY a b",
        "ENV a=b",
        "RUN a &&",
        "RUN <<EOF\n#!/usr/bin/env python3\nimport os\nEOF",
        'RUN ["sh", "-c", "a &&"]',
        "ONBUILD RUN a",
    ],
)
def test_what_has_no_commands(text: str) -> None:
    assert placed(text) is None


def test_the_instruction_of_an_onbuild_has_commands() -> None:
    _, instruction = instruction_of("ONBUILD RUN a b")
    assert instruction.on_build is not None
    (found,) = commands_of(instruction.on_build, {}) or ()
    assert found.word_spans == (Span(2, 13, 2, 14), Span(2, 15, 2, 16))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("RUN a b && chmod +x 'c d'", ["a", "b", "chmod", "+x", "'c d'"]),
        ("RUN a \\\n    && chmod \\\n  +x  c", ["a", "chmod", "+x", "c"]),
        ('RUN ["chmod",  "+x", "c\\"d"]', ["chmod", "+x", 'c\\"d']),
        ('RUN [ "sh", "-c", "a && chmod \\"+x\\" c" ]', ["a", "chmod", '\\"+x\\"', "c"]),
        ("RUN sh -c 'a && chmod +x'", ["a", "chmod", "+x"]),
        ("RUN a <<EOF\nx\nEOF\n", ["a"]),
        ("RUN <<EOF\na\n  chmod +x  c\nEOF", ["a", "chmod", "+x", "c"]),
        ("RUN <<-EOF\n\ta\n\t\tchmod +x\nb\n\tEOF", ["a", "chmod", "+x", "b"]),
        ("RUN bash <<A && c <<B\na  'd'\nA\nx\nB", ["a", "'d'", "c"]),
        ("RUN é && chmod ü", ["é", "chmod", "ü"]),
        ("run   a", ["a"]),
    ],
)
def test_words_are_where_they_are_said_to_be(text: str, spans: list[str]) -> None:
    found = placed(text) or ()
    assert [at(text, span) for each in found for span in each.word_spans] == spans
    for each in found:
        first, last = each.word_spans[0], each.word_spans[-1]
        assert (each.span.line, each.span.column) == (first.line, first.column)
        assert (each.span.end_line, each.span.end_column) >= (last.end_line, last.end_column)


def test_a_word_that_a_continuation_breaks_spans_both_lines() -> None:
    text = "RUN chm\\\nod +x"
    (found,) = placed(text) or ()
    assert (found.command.words[0].text, at(text, found.word_spans[0])) == ("chmod", "chm\\\nod")


def test_arguments_come_with_their_places() -> None:
    (found,) = placed("RUN sudo -u x chmod +x c") or ()
    assert [(word.text, span.column) for word, span in found.arguments] == [("+x", 21), ("c", 24)]


def test_what_xargs_appends_has_an_empty_place() -> None:
    (found,) = placed("RUN xargs chmod") or ()
    assert [(word.text, word.raw) for word, _ in found.arguments] == [(None, "")]
    (span,) = [span for _, span in found.arguments]
    assert (span.line, span.column) == (span.end_line, span.end_column)


TEXT = st.text(alphabet="ab \\\n\t'\"$;&|<>-EOF#[],()é`", max_size=40)


@given(TEXT, TEXT)
def test_any_instruction_has_places_within_the_file(value: str, body: str) -> None:
    for text in (f"RUN {value}", f"RUN <<-E {value}\n{body}\nE", f'RUN ["sh", "-c", "{value}"]'):
        try:
            text, instruction = instruction_of(text)
        except DockerfileError:
            continue
        lines = text.split("\n")
        for found in commands_of(instruction, {}, "/", text) or ():
            for span in (found.span, *found.word_spans):
                assert 1 <= span.line <= span.end_line <= len(lines)
                assert 1 <= span.column <= len(lines[span.line - 1]) + 1
                assert (span.line, span.column) <= (span.end_line, span.end_column)
