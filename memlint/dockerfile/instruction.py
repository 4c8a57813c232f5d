"""Instructions out of a file's logical lines, before anything is made of them."""

from __future__ import annotations

import msgspec

from memlint.dockerfile.command import Command, split_command
from memlint.dockerfile.fold import Reader
from memlint.dockerfile.heredoc import Marker, markers
from memlint.dockerfile.located import Located
from memlint.dockerfile.words import split_arguments
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Heredoc, Instruction, Span, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class _Parsed(msgspec.Struct, frozen=True):
    """An instruction without its end and its heredocs; `inner` is the one inside ONBUILD."""

    command: Command
    words: tuple[Word, ...]
    json: bool
    inner: _Parsed | None


def read_instructions(reader: Reader) -> Iterator[Instruction]:
    """All of a file. Keywords that BuildKit does not know are among them, as in its syntax tree."""
    try:
        while (line := reader.logical()) is not None:
            yield _instruction(reader, line)
    except DockerfileError as error:
        raise DockerfileError(error.message, error.hint, error.line or reader.start[0]) from None


def _instruction(reader: Reader, line: Located) -> Instruction:
    parsed = _parse(line, reader.escape)
    taking = parsed.inner or parsed
    opened: tuple[Marker, ...] = ()
    if taking.command.keyword in ("RUN", "COPY", "ADD") and not taking.json:
        opened = markers(line.text)
    heredocs = tuple(_heredoc(reader, marker) for marker in opened)
    return _finished(parsed, heredocs, reader.start, reader.end())


def _parse(line: Located, escape: str, nested: bool = False) -> _Parsed:
    command = split_command(line, escape)
    words, json = split_arguments(command.keyword, command.arguments, escape)
    inner = None
    if command.keyword == "ONBUILD" and command.arguments.text and not nested:
        inner = _parse(command.arguments, escape, nested=True)
    return _Parsed(command, words, json, inner)


def _heredoc(reader: Reader, marker: Marker) -> Heredoc:
    first_line = reader.row + 1
    content = reader.body(marker.name, marker.strip_tabs)
    if content is None:
        message = f"the heredoc {marker.name[:40]!r} never ends"
        raise DockerfileError(message, "end it with its name alone on a line")
    return Heredoc(marker.name, content, marker.expand, marker.strip_tabs, first_line)


def _finished(
    parsed: _Parsed, heredocs: tuple[Heredoc, ...], start: tuple[int, int], end: tuple[int, int]
) -> Instruction:
    command = parsed.command
    value = command.arguments
    inner = _finished(parsed.inner, heredocs, value.places[0], end) if parsed.inner else None
    return Instruction(
        keyword=command.keyword,
        flags=command.flags,
        value=value.text,
        words=parsed.words,
        json=parsed.json,
        heredocs=heredocs,
        span=Span(*start, *end),
        offsets=value.offsets,
        places=value.places,
        on_build=inner,
    )
