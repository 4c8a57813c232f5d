"""Patterns of paths, as in `.gitignore`."""

from __future__ import annotations

import os
import re
from functools import cache

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Globs:
    """Tells whether a path of a repository matches one of some patterns, which are relative to `directory`.

    `*` stops at a slash, `**` does not. A pattern without a slash matches names at any depth; a directory that matches
    takes all that is below it along.
    """

    def __init__(self, patterns: Iterable[str], directory: str, root: str) -> None:
        self._patterns = [_compiled(pattern) for pattern in patterns]
        self._directory, self._root = directory, os.path.abspath(root)

    def match(self, path: str) -> bool:
        """Whether the path, relative to the root, is meant."""
        if not self._patterns:
            return False
        name = os.path.relpath(os.path.join(self._root, path), self._directory).replace(os.sep, "/")
        return any(pattern.match(name) for pattern in self._patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    anchored = "/" in pattern.rstrip("/")
    tokens = re.findall(r"\*\*/|\*\*|\*|\?|\[[^]/]+\]|.", pattern.strip("/"), re.DOTALL)
    body = "".join(_TOKENS.get(token) or _literal(token) for token in tokens)
    return re.compile(("" if anchored else "(?:.*/)?") + body + r"(?:/.*)?\Z", re.DOTALL)


_TOKENS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _literal(token: str) -> str:
    if token.startswith("[") and len(token) > 2:
        inside = token[1:-1].replace("\\", r"\\")
        return "[" + ("^" + inside[1:] if inside[0] in "!^" else inside) + "]"
    return re.escape(token)
