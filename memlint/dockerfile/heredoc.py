"""The heredocs that a logical line opens."""

from __future__ import annotations

import re

import msgspec

from memlint.dockerfile.lexer import Lexer, LexError, Piece, joined
from memlint.dockerfile.located import SPACES
from memlint.errors import DockerfileError

_MARKER = re.compile(r"\d*<<(-?)[\t\n\f\r ]*([^<]*)\Z")
_SPACE = re.compile(f"[{SPACES}]")


class Marker(msgspec.Struct, frozen=True):
    """`<<name`: a heredoc that a line opens."""

    name: str
    expand: bool
    strip_tabs: bool


def markers(line: str) -> tuple[Marker, ...]:
    """Those of a line, in their order.

    The line is lexed as a whole: a quotation that does not end, anywhere in it, means that there is none. The escape is
    always a backslash, and variables stay as they are.
    """
    try:
        pieces = Lexer(line, {}, "\\", keep_quotes=True, keep_escapes=True, keep_unset=True).pieces()
    except LexError:
        return ()
    found = (_marker(word) for word in _words(pieces))
    return tuple(marker for marker in found if marker is not None)


def _marker(word: str) -> Marker | None:
    match = _MARKER.match(word)
    if match is None or not match[2]:
        return None
    dash, rest = match.groups()
    try:
        bare = Lexer(rest, {}, "\\", keep_unset=True).pieces()
        quoted = Lexer(rest, {}, "\\", keep_unset=True, keep_quotes=True).pieces()
    except LexError as error:
        raise DockerfileError(f"the heredoc {word[:40]!r} has no proper name: {error}", "write <<EOF") from None
    names = list(_words(bare))
    if len(names) != 1:
        return None
    expand = _quotes(names[0]) == _quotes(joined(quoted) or "")
    return Marker(names[0], expand, dash == "-")


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')


def _words(pieces: list[Piece]) -> list[str]:
    """The pieces, parted at the spaces of those that are divisible."""
    words: list[str] = []
    word = ""
    for piece in pieces:
        text = piece.text or ""
        if not piece.divisible:
            word += text
            continue
        first, *rest = _SPACE.split(text)
        word += first
        for part in rest:
            words.append(word)
            word = part
    return [each for each in [*words, word] if each]
