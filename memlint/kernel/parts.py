"""Stretches of a file's pages, as mappings show them, joined to what a process has of the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

Part = tuple[int, "array[int]"]
"""Consecutive pages of a file: the number of the first, and the frame of each, 0 where it is not there."""


def there(part: Part) -> Iterator[tuple[int, int]]:
    """The pages that are there, each with its frame."""
    return ((page, frame) for page, frame in enumerate(part[1], part[0]) if frame)


def joined(parts: Sequence[Part]) -> tuple[array[int], array[int]]:
    """The pages that are there, ascending, and their frames in step; a page that is mapped twice is there once."""
    pages, frames = array("Q"), array("Q")
    end, whole = 0, True
    for first, part in sorted(parts, key=_first):
        if first < end:
            if not whole:
                return _merged(parts)
            first, part = end, part[end - first :]
        if 0 in part:
            whole = False
            found = [(page, frame) for page, frame in enumerate(part, first) if frame]
            pages.extend(page for page, _ in found)
            frames.extend(frame for _, frame in found)
        else:
            whole = bool(part) or whole
            pages.extend(range(first, first + len(part)))
            frames.extend(part)
        end = first + len(part)
    return pages, frames


def _first(part: Part) -> int:
    return part[0]


def _merged(parts: Sequence[Part]) -> tuple[array[int], array[int]]:
    found = dict(page for part in parts for page in there(part))
    pages = sorted(found)
    return array("Q", pages), array("Q", map(found.__getitem__, pages))
