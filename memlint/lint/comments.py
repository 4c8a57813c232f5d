"""The text of comments to memlint: their form, and where one stands that is no comment of the Dockerfile."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.fold import directives
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.model.dockerfile import Dockerfile, Instruction

COMMENT = r"#\s*memlint\s+(?P<all>global\s+)?ignore\s*=\s*(?P<ids>[\w-]+(?:\s*,\s*[\w-]+)*)\s*(?:#.*)?\Z"
"""One that suppresses, without blanks at its end: `ids` are what it names, `all` is there if it is for the file."""
_TRAILING = rf"(?:\A|(?<=\s)){COMMENT}"
_MARK = "memlint"


def misplaced(dockerfile: Dockerfile) -> Iterator[Span]:
    """What has the form of such a comment at the end of an instruction's line, or in a script that a RUN holds."""
    if _MARK not in dockerfile.text:
        return
    comments = {comment.span.line for comment in dockerfile.comments}
    data = {row for each in dockerfile.instructions for row in _data(each)}
    escape = dockerfile.directives.get("escape", "\\")
    for row, line in enumerate(dockerfile.text.split("\n"), 1):
        if _MARK in line and row not in comments and row not in data:
            written = line.rstrip().removesuffix(escape).rstrip()
            match = re.search(_TRAILING, written)
            if match is not None:
                yield Span(row, match.start() + 1, row, match.end() + 1)


def shields(dockerfile: Dockerfile, line: int) -> bool:
    """Whether the lines below it would be parser directives without that line."""
    if line != len(dockerfile.directives) + 1:
        return False
    lines = dockerfile.text.split("\n")
    del lines[line - 1]
    try:
        return directives(lines) != dockerfile.directives
    except DockerfileError:
        return True


def _data(instruction: Instruction) -> Iterator[int]:
    """The lines of its here-documents that no shell reads: they may be a Dockerfile that somebody writes."""
    if not instruction.heredocs or _runs_script(instruction):
        return
    for heredoc in instruction.heredocs:
        yield from range(heredoc.first_line, heredoc.first_line + heredoc.content.count("\n"))


def _runs_script(instruction: Instruction) -> bool:
    from memlint.dockerfile.shell import SHELLS, program

    words = [word for word in instruction.value.split() if "<<" not in word]
    return instruction.keyword == "RUN" and (not words or program(words[0]) in SHELLS)
