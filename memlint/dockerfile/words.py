"""The arguments of an instruction, split as BuildKit splits those of each keyword."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from memlint.dockerfile.located import BLANKS, SPACES, Located
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Instruction, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = re.compile(f"[{BLANKS}]+")
_SOLID = re.compile(f"[^{BLANKS}]+")
_HEALTH_TYPE = re.compile("[^ \t\n\v\f\r]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATES = "[\ud800-\udfff]"
_NOT_STRINGS = "the array of the JSON form holds something that is no string"


class _NotJSON(Exception):  # noqa: N818 - an answer, not a failure
    """Then it is the shell form."""


def split_arguments(keyword: str, arguments: Located, escape: str) -> tuple[tuple[Word, ...], bool]:
    """The words, and whether they are those of a JSON form. Unknown keywords have none."""
    if not arguments.text:
        return (), False
    if keyword in ("CMD", "ENTRYPOINT", "RUN", "SHELL"):
        return _maybe_json(arguments)
    if keyword in ("ADD", "COPY", "VOLUME"):
        words = _json(arguments)
        return (words, True) if words is not None else (_solids(arguments), False)
    if keyword in ("FROM", "EXPOSE"):
        return _solids(arguments), False
    if keyword == "ARG":
        return tuple(_quoted_words(arguments, escape)), False
    if keyword in ("ENV", "LABEL"):
        return _pairs(keyword, arguments, escape), False
    if keyword == "HEALTHCHECK":
        return _health(arguments)
    if keyword in ("MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR", "ONBUILD"):
        return (_whole(arguments),), False
    return (), False


def assignments(instruction: Instruction) -> tuple[tuple[str, str | None, Word], ...]:
    """What ENV, LABEL or ARG assigns: each name, its unexpanded value (None in `ARG name`), and the word of it.

    In the old form `ENV name some words` the word is that of the value.
    """
    words = instruction.words
    if instruction.keyword != "ARG" and words and "=" not in words[0].text:
        return ((words[0].text, words[1].text, words[1]),)
    parted = (word.text.partition("=") for word in words)
    return tuple((name, value if sign else None, word) for (name, sign, value), word in zip(parted, words, strict=True))


def _whole(text: Located, start: int = 0) -> Word:
    return Word(text.text[start:], text.span(start, len(text.text)))


def _solids(text: Located) -> tuple[Word, ...]:
    return tuple(Word(match[0], text.span(*match.span())) for match in _SOLID.finditer(text.text))


def _maybe_json(text: Located, start: int = 0) -> tuple[tuple[Word, ...], bool]:
    words = _json(text, start)
    return (words, True) if words is not None else ((_whole(text, start),), False)


def _json(text: Located, start: int = 0) -> tuple[Word, ...] | None:
    """The strings of a JSON array; None where it is no array, and so a command for the shell."""
    source = text.text[start:].lstrip(SPACES)
    if not source.startswith("["):
        return None
    try:
        values = json.loads(source, parse_int=_number, parse_float=_number, parse_constant=_number)
    except (ValueError, RecursionError, _NotJSON):
        return None  # what nests so deeply is hardly ever closed again
    if not all(isinstance(value, str) for value in values):
        raise DockerfileError(_NOT_STRINGS, "write each argument as a string in double quotes")
    begin = len(text.text) - len(source)
    spans = [text.span(*match.span()) for match in _STRING.finditer(text.text, begin)]
    if "\\ud" in source.lower():
        values = [re.sub(_SURROGATES, "\ufffd", value) for value in values]
    return tuple(Word(value, span) for value, span in zip(values, spans, strict=True))


def _number(text: str) -> Any:
    """Numbers are never wanted; one that no float holds makes Go refuse the array as JSON."""
    if text.lstrip("-")[:1].isalpha() or float(text) in (float("inf"), float("-inf")):
        raise _NotJSON
    return 0


def _health(text: Located) -> tuple[tuple[Word, ...], bool]:
    """`NONE`, or `CMD` and a command in one of the two forms."""
    match = _HEALTH_TYPE.match(text.text)
    end = match.end() if match else 0
    kind = Word(text.text[:end], text.span(0, end))
    start = len(text.text) - len(text.text[end:].lstrip(" \t\n\v\f\r"))
    if start == len(text.text):
        return (kind,), False
    words, is_json = _maybe_json(text, start)
    return (kind, *words), is_json


def _pairs(keyword: str, text: Located, escape: str) -> tuple[Word, ...]:
    """`name=value` words; or, in the old form, the name and all that follows it."""
    words = tuple(_quoted_words(text, escape))
    if not words:
        return ()
    if "=" not in words[0].text:
        blank = _BLANK.search(text.text)
        if blank is None:
            raise DockerfileError(f"{keyword} needs a name and a value", f"write {keyword} name=value")
        return Word(text.text[: blank.start()], text.span(0, blank.start())), _whole(text, blank.end())
    for word in words:
        if "=" not in word.text:
            message = f"no = in {word.text[:40]!r}, an argument of {keyword}"
            raise DockerfileError(message, "write name=value, and quote a value that holds spaces")
    return words


@cache
def _tokens(escape: str) -> re.Pattern[str]:
    """Spaces between words, and the parts of words. An escape at the very end stands for nothing."""
    special = re.escape(escape)
    return re.compile(
        rf"(?P<space>[{SPACES}]+)|(?P<nothing>{special}\Z)"
        rf"|[^{SPACES}'\"{special}]+|{special}.|'[^']*'?|(?P<open>\")",
        re.DOTALL,
    )


@cache
def _double_quoted(escape: str) -> re.Pattern[str]:
    """What follows a double quote, up to the next one. An escape at the very end stands for nothing."""
    special = re.escape(escape)
    return re.compile(rf"[^\"{special}]+|{special}.|(?P<nothing>{special}\Z)|(?P<close>\")", re.DOTALL)


def _quoted_words(text: Located, escape: str) -> Iterator[Word]:
    """Words that quotes and escapes hold together, both kept."""
    parts: list[str] = []
    first = at = 0
    outside, inside = _tokens(escape), _double_quoted(escape)
    tokens = outside
    while match := tokens.match(text.text, at):
        kind = match.lastgroup
        if kind == "space":
            if parts:
                yield Word("".join(parts), text.span(first, at))
            parts = []
        elif kind != "nothing":
            first = first if parts else at
            parts.append(match[0])
        tokens = inside if kind == "open" or (tokens is inside and kind != "close") else outside
        at = match.end()
    if parts:
        yield Word("".join(parts), text.span(first, at))
