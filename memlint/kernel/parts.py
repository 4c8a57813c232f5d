"""Stretches of a file's pages, as mappings show them, joined to what a process has of the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

Part = tuple[int, "array[int]"]
"""Consecutive pages of a file: the number of the first, and the frame of each, 0 where it is not there."""

_FIRST = array("Q", range(1 << 14))


def there(part: Part) -> Iterator[tuple[int, int]]:
    """The pages that are there, each with its frame."""
    return ((page, frame) for page, frame in enumerate(part[1], part[0]) if frame)


def joined(parts: Sequence[Part]) -> tuple[array[int], array[int]]:
    """The pages that are there, ascending, and their frames in step; a page that is mapped twice is there once."""
    pages, frames = array("Q"), array("Q")
    end, whole = 0, True
    for first, part in sorted(parts, key=itemgetter(0)):
        if first < end:
            if not whole and any(part[: end - first]):
                return _merged(parts)
            first, part = end, part[end - first :]
        if 0 in part:
            whole = False
            found = [(page, frame) for page, frame in enumerate(part, first) if frame]
            pages.extend(page for page, _ in found)
            frames.extend(frame for _, frame in found)
        else:
            whole = bool(part) or whole
            pages.extend(_numbers(first, first + len(part)))
            frames.extend(part)
        end = first + len(part)
    return pages, frames


def _numbers(first: int, end: int) -> Iterable[int]:
    """The numbers of consecutive pages; those of most files are copied, not counted anew."""
    return _FIRST[first:end] if end <= len(_FIRST) else range(first, end)


def _merged(parts: Sequence[Part]) -> tuple[array[int], array[int]]:
    found = dict(page for part in parts for page in there(part))
    pages = sorted(found)
    return array("Q", pages), array("Q", map(found.__getitem__, pages))
