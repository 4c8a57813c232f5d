"""Patterns of paths, as in `.gitignore`."""

from __future__ import annotations

import os
import re
from functools import cache

import msgspec

from memlint import TYPE_CHECKING
from memlint.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PART = r"(?s)\\.|\*+|\?|\[[!^]?\]?(?:\[:\w+:\]|\\.|[^]\\])*\]|."
_RANGE = r"(?s)\[:(?P<name>\w+):\]|(?P<first>\\?.)-(?P<last>\\?.)|(?P<char>\\?.)"
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class _Pattern(msgspec.Struct, frozen=True):
    negated: bool
    directories_alone: bool
    expression: re.Pattern[str]


class Globs:
    """Tells whether a path of a repository matches some patterns, which are relative to `directory`.

    `*` stops at a slash, `**` between slashes does not. A pattern without a slash matches names at any depth, one that
    ends in a slash directories alone; a directory that matches takes all that is below it along. The last pattern that
    matches decides: one after `!` takes back what those before it matched, but nothing out of a directory.

    UsageError, which names `where`, for what is no pattern.
    """

    def __init__(self, patterns: Iterable[str], directory: str, root: str, where: str = "") -> None:
        patterns = list(patterns)
        self._patterns = [_read(pattern, where) for pattern in patterns]
        if self._patterns and self._patterns[0].negated:
            raise UsageError(
                f"{where}{patterns[0]!r} takes back what patterns before it match, and there is none",
                "write the pattern that it is an exception of before it, or \\! for a name that begins so",
            )
        self._directory, self._root = directory, os.path.abspath(root)

    def match(self, path: str) -> bool:
        """Whether the file, relative to the root, is meant."""
        if not self._patterns:
            return False
        name = os.path.relpath(os.path.join(self._root, path), self._directory).replace(os.sep, "/")
        above = (name[:end] for end in _slashes(name))
        return any(self._decides(each, directory=True) for each in above) or self._decides(name, directory=False)

    def _decides(self, name: str, *, directory: bool) -> bool:
        """What the last pattern that matches says."""
        for each in reversed(self._patterns):
            if (directory or not each.directories_alone) and each.expression.match(name):
                return not each.negated
        return False


def _slashes(name: str) -> Iterator[int]:
    at = name.find("/", 1)
    while at >= 0:
        yield at
        at = name.find("/", at + 1)


def _read(pattern: str, where: str) -> _Pattern:
    negated = pattern.startswith("!")
    try:
        return _Pattern(negated, pattern.endswith("/"), _compiled(pattern[negated:]))
    except (re.error, KeyError) as error:
        reason = f"there is no class {error}" if isinstance(error, KeyError) else error.msg
        raise UsageError(f"{where}{pattern!r} is no pattern ({reason})", "write it as in .gitignore") from error


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    *above, last = pattern.strip("/").split("/")
    body = "" if anchored else "(?:.*/)?"
    for part in above:
        body += "(?:.*/)?" if part == "**" else _translated(part) + "/"
    return re.compile(body + (".+" if last == "**" else _translated(last)) + r"\Z", re.DOTALL)


def _translated(part: str) -> str:
    return "".join(_expression(token) for token in re.findall(_PART, part))


def _expression(written: str) -> str:
    if written.startswith("*"):
        return "[^/]*"
    if written == "?":
        return "[^/]"
    if written.startswith("[") and len(written) > 1:
        negated = written[1] in "!^"
        inside = "".join(_range(match) for match in re.finditer(_RANGE, written[1 + negated : -1]))
        return f"[^/{inside}]" if negated else f"[{inside}]"
    return re.escape(written[-1])


def _range(match: re.Match[str]) -> str:
    if match["name"]:
        return _CLASSES[match["name"]]
    if match["first"]:
        return f"{re.escape(match['first'][-1])}-{re.escape(match['last'][-1])}"
    return re.escape(match["char"][-1])
