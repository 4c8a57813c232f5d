"""XML 1.0, in which not every character may stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_REFUSED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_QUOTES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def element(name: str, attributes: dict[str, str | int], inside: Iterable[str] | str = ()) -> Iterator[str]:
    """The lines of an element; `inside` are the lines of those in it, or its text."""
    given = "".join(f' {key}="{escape(_allowed(str(value)), _QUOTES)}"' for key, value in attributes.items())
    if isinstance(inside, str):
        yield f"<{name}{given}>{escape(_allowed(inside))}</{name}>"
        return
    lines = [f"  {line}" for line in inside]
    if not lines:
        yield f"<{name}{given}/>"
        return
    yield f"<{name}{given}>"
    yield from lines
    yield f"</{name}>"


def _allowed(text: str) -> str:
    return _REFUSED.sub("\ufffd", text)
