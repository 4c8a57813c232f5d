"""The history of an image in the words of a Dockerfile."""

from __future__ import annotations

import re

_SHELL = re.compile(
    r"^(?:RUN )?(?:\|\d+ .*? )?/bin/(?:ba|a)?sh (?:-[a-z]+ (?:pipefail )?)*-c (?:#\(nop\)\s*)?(?:set -[a-z]+; )?",
    re.DOTALL,
)
_COMMENT = re.compile(r"\s*# buildkit$")


def instruction(created_by: str) -> str:
    """A history entry as the Dockerfile would have it, on one line; "" where the history does not say."""
    text = _COMMENT.sub("", created_by.strip())
    match = _SHELL.match(text)
    if match:
        rest = text[match.end() :].strip()
        text = rest if "#(nop)" in match[0] else f"RUN {rest}"
    return " ".join(text.split())
