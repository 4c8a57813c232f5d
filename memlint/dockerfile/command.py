"""One logical line into its keyword, its flags and its arguments."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from memlint.dockerfile.located import BLANKS, SPACES, Located
from memlint.model.dockerfile import Flag

_KEYWORD = re.compile(f"[^{BLANKS}]*")
_PARTS = " \t\n\v\f\r\x85\xa0"
_NEXT_FLAG = re.compile(f"[{_PARTS}]*(?=--)")


class Command(msgspec.Struct, frozen=True):
    """`name` is the keyword as written, `keyword` in upper case, `arguments` what follows the flags."""

    name: str
    keyword: str
    flags: tuple[Flag, ...]
    arguments: Located


def split_command(line: Located, escape: str) -> Command:
    """Takes a logical line apart."""
    line = line.stripped()
    match = _KEYWORD.match(line.text)
    name = match[0] if match else ""
    flags, start = _flags(line, len(name), escape)
    return Command(name, _upper(name), flags, line.stripped(start))


def _upper(name: str) -> str:
    """The keyword that a name is. Go folds these as no other language: İ to i, and ſ to itself."""
    lower = name.replace("İ", "i").lower()
    return lower.upper() if lower.isascii() else lower


def _flags(line: Located, start: int, escape: str) -> tuple[tuple[Flag, ...], int]:
    """The words in front that begin with `--`, and where the rest begins. Quotes and escapes vanish from them.

    BuildKit reads them byte by byte and so garbles what is not ASCII; here it stays as written.
    """
    flags: list[Flag] = []
    text = line.text
    while match := _NEXT_FLAG.match(text, start):
        word, start = _flag(text, match.end(), escape)
        if word == "--":
            break
        name, _, value = word[2:].partition("=")
        flags.append(Flag(name, value, line.span(match.end(), start)))
    return tuple(flags), start


@cache
def _tokens(escape: str) -> re.Pattern[str]:
    special = re.escape(escape)
    return re.compile(rf"(?P<plain>[^{_PARTS}'\"{special}]+)|{special}(?P<escaped>.?)|(?P<quote>['\"])", re.DOTALL)


@cache
def _quoted(quote: str, escape: str) -> re.Pattern[str]:
    special = re.escape(escape)
    return re.compile(rf"(?P<plain>[^{quote}{special}]+)|{special}(?P<escaped>.?)|{quote}", re.DOTALL)


def _flag(text: str, start: int, escape: str) -> tuple[str, int]:
    """The flag that begins at `start`, without quotes and escapes, and where it ends."""
    word: list[str] = []
    tokens = outside = _tokens(escape)
    while match := tokens.match(text, start):
        start = match.end()
        if tokens is outside and match["quote"]:
            tokens = _quoted(match["quote"], escape)
        elif match["plain"] or match["escaped"] is not None:
            word.append(match["plain"] or match["escaped"])
        else:
            tokens = outside
    return "".join(word), start


def shown(name: str) -> str:
    """A name for a message: short, and no character in it moves the cursor."""
    clean = name.strip(SPACES).encode("unicode_escape").decode("ascii")
    return clean if len(clean) <= 40 else f"{clean[:40]}…"
