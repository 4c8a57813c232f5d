"""The words of a COPY, so that a builder takes them for what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_GLOB = re.compile(r"[*?\[]")


def exactly(path: str) -> str:
    """A pattern that this path alone matches: what stands behind the escape character is none the less a pattern."""
    return _GLOB.sub(r"[\g<0>]", path)


def copy_words(words: Sequence[str], escape: str = "\\") -> str:
    """Plain, or as JSON where a builder would see more in them than words; in both it expands variables."""
    special = {*" \t\"'\\$", escape}
    if all(word and word.isprintable() and special.isdisjoint(word) for word in words) and words[0][0] != "[":
        return " ".join(words)
    expanded = re.compile(f"[{re.escape(escape)}$]")
    return json.dumps([expanded.sub(lambda found: escape + found[0], word) for word in words], ensure_ascii=False)
