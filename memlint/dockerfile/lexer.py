"""BuildKit's shell lexer: quotes, escapes and variables of one word or line.

One lexer serves the expansion of arguments and the search for heredocs, as it does in BuildKit, because the quirks of
the one decide the other.
"""

from __future__ import annotations

import re
from functools import cache

from memlint.dockerfile.pattern import Pattern, PatternError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTH = 50
"""Variables inside variables: more is refused."""
LENGTH = 65_536
"""Characters that variables may add to a text: variables that double each other grow without end."""

_NAME = re.compile(r"\d+|[@*#?\-$!]|\w+")


class LexError(Exception):
    """BuildKit refuses the text."""


class Piece:
    """A stretch of the result: `text` is None if a variable is not known; `divisible` if spaces in it part words."""

    __slots__ = ("divisible", "text")

    def __init__(self, text: str | None, divisible: bool) -> None:
        self.text = text
        self.divisible = divisible


def joined(pieces: list[Piece]) -> str | None:
    """The text of all; None where one is not known."""
    texts = [piece.text for piece in pieces]
    return None if None in texts else "".join(text for text in texts if text is not None)


class Lexer:
    """Reads one text.

    A name that `environment` lacks is unset; where its value is None, the variable is set or unset, and not known.
    `keep_quotes` and `keep_escapes` leave them in the result. `keep_unset` leaves variables that are unset as written.
    After reading, `unset` holds the names that were unset and stood alone (`$name`, `${name}`), so became "".
    """

    def __init__(
        self,
        text: str,
        environment: Mapping[str, str | None],
        escape: str,
        *,
        keep_quotes: bool = False,
        keep_escapes: bool = False,
        keep_unset: bool = False,
    ) -> None:
        # Go's scanner skips a byte-order mark in front
        self.text = text.removeprefix("\ufeff")
        self.environment = environment
        self.escape = escape
        self.keep_quotes = keep_quotes
        self.keep_escapes = keep_escapes
        self.keep_unset = keep_unset
        self.unset: set[str] = set()
        self._at = 0
        self._depth = 0
        self._grown = 0

    def pieces(self) -> list[Piece]:
        """The whole text. LexError where BuildKit refuses it, or where it is too deep or too long."""
        return self._until("")

    def _peek(self) -> str:
        return self.text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _until(self, stop: str) -> list[Piece]:
        """The pieces up to the character `stop`, which is read; or up to the end."""
        pieces: list[Piece] = []
        plain = _plain(self.escape, stop)
        while self._at < len(self.text):
            if match := plain.match(self.text, self._at):
                self._at = match.end()
                pieces.append(Piece(match[0], True))
                continue
            char = self._next()
            if char == stop:
                return pieces
            if char == "$":
                pieces.append(Piece(self._variable(), True))
            elif char == "<":
                pieces.append(Piece(self._less(), False))
            elif char == "'":
                pieces.append(Piece(self._single_quoted(), False))
            elif char == '"':
                pieces.append(Piece(self._double_quoted(), False))
            else:
                pieces.append(Piece((char if self.keep_escapes else "") + self._escaped(), False))
        if stop:
            raise LexError(f"no {stop} ends a variable")
        return pieces

    def _escaped(self) -> str:
        # an escape at the end escapes nothing
        return self._next() if self._at < len(self.text) else ""

    def _less(self) -> str:
        """`<`, or `<<` with the blanks after it: a heredoc's name may follow them."""
        if self._peek() != "<":
            return "<"
        start = self._at - 1
        self._at += 1
        while self._peek() in ("\t", "\r", " "):
            self._at += 1
        return self.text[start : self._at]

    def _single_quoted(self) -> str:
        end = self.text.find("'", self._at)
        if end < 0:
            raise LexError("no ' ends a quotation")
        text = self.text[self._at : end]
        self._at = end + 1
        return f"'{text}'" if self.keep_quotes else text

    def _double_quoted(self) -> str | None:
        quote = '"' if self.keep_quotes else ""
        pieces = [Piece(quote, False)]
        plain = _plain_quoted(self.escape)
        while self._at < len(self.text):
            if match := plain.match(self.text, self._at):
                self._at = match.end()
                pieces.append(Piece(match[0], False))
                continue
            char = self._next()
            if char == '"':
                pieces.append(Piece(quote, False))
                return joined(pieces)
            if char == "$":
                pieces.append(Piece(self._variable(), False))
                continue
            if self.keep_escapes:
                pieces.append(Piece(char, False))
            if self._peek() in ('"', "$", self.escape):
                char = self._next()
            pieces.append(Piece(char, False))
        raise LexError('no " ends a quotation')

    def _name(self) -> str:
        match = _NAME.match(self.text, self._at)
        name = match[0] if match else ""
        if not name.isascii():
            # \w takes a few numerals that are neither letters nor digits
            name = name[: next((i for i, c in enumerate(name) if not (c.isalpha() or c.isdecimal() or c == "_")), None)]
        self._at += len(name)
        return name

    def _variable(self) -> str | None:
        """What follows a `$`, expanded."""
        if self._peek() != "{":
            name = self._name()
            return self._value(name, f"${name}") if name else "$"
        self._at += 1
        if self._peek() in ("", "{", "}", ":"):
            raise LexError("bad substitution")
        name = self._name()
        operator = self._next()
        if operator == "}":
            return self._value(name, f"${{{name}}}")
        if operator == "/":
            return self._replaced(name)
        if operator == ":":
            operator += self._next()
        if operator not in ("-", "+", "?", "#", "%", ":-", ":+", ":?"):
            raise LexError(f"no operator {operator!r} for variables")
        return self._modified(name, operator)

    def _set(self, name: str) -> tuple[bool, str | None]:
        """Whether a variable is set, and its value, None if neither is known."""
        try:
            value = self.environment[name]
        except KeyError:
            return False, ""
        self._grown += len(value or "")
        if self._grown > LENGTH:
            raise LexError("the variables expand to too long a text")
        return True, value

    def _value(self, name: str, written: str) -> str | None:
        is_set, value = self._set(name)
        if not is_set:
            self.unset.add(name)
            return written if self.keep_unset else ""
        return value

    def _operand(self, stop: str, keep_escapes: bool) -> str | None:
        """The text of an operator, up to `stop`."""
        self._depth += 1
        if self._depth > DEPTH:
            raise LexError("variables are nested too deeply")
        before, self.keep_escapes = self.keep_escapes, keep_escapes
        word = joined(self._until(stop))
        self.keep_escapes = before
        self._depth -= 1
        return word

    def _modified(self, name: str, operator: str) -> str | None:
        before = set(self.unset)
        word = self._operand("}", operator in ("#", "%"))
        is_set, value = self._set(name)
        if self.keep_unset and not is_set:
            return f"${{{name}{operator}{word}}}"
        if value is None:
            return None
        kind = operator[-1]
        missing = not is_set or (operator[0] == ":" and not value)
        if kind in ("#", "%"):
            return None if word is None else _trimmed(value, kind, word)
        if kind == "?" and missing:
            raise LexError(f"{name} has no value")
        if kind != "?" and missing == (kind == "-"):
            return word
        self.unset = before  # those of an operand that is not used do not count
        return "" if missing else value

    def _replaced(self, name: str) -> str | None:
        everywhere = self._peek() == "/"
        self._at += everywhere
        pattern = self._operand("/", True)
        replacement = self._operand("}", True)
        is_set, value = self._set(name)
        if self.keep_unset and not is_set:
            return f"${{{name}/{pattern}/{replacement}}}"
        if value is None or pattern is None or replacement is None:
            return None
        try:
            return Pattern(pattern).replaced(value, replacement, everywhere)
        except PatternError as error:
            raise LexError(str(error)) from None


def _trimmed(value: str, kind: str, word: str) -> str:
    longest = word.startswith(kind)
    try:
        pattern = Pattern(word[longest:])
        return pattern.without_prefix(value, longest) if kind == "#" else pattern.without_suffix(value, longest)
    except PatternError as error:
        raise LexError(str(error)) from None


@cache
def _plain(escape: str, stop: str) -> re.Pattern[str]:
    return re.compile(f"[^$<'\"{re.escape(escape + stop)}]+")


@cache
def _plain_quoted(escape: str) -> re.Pattern[str]:
    return re.compile(f'[^$"{re.escape(escape)}]+')
