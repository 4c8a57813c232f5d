"""The page frames behind a process's mappings (the kernel's admin-guide/mm/pagemap.rst).

An entry of 64 bits for each page: 63 present, 62 swapped out, 61 page of a file or shared memory, 0 to 54 the frame,
which the kernel shows as 0 to those without CAP_SYS_ADMIN. Huge pages have an entry for each small one, too.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator

from memlint.kernel.mappings import Area

PAGE = os.sysconf("SC_PAGE_SIZE")
_FRAME = (1 << 55) - 1
_PRESENT = 1 << 63
_ONE = (1).to_bytes(8, sys.byteorder)
_CHUNK = 1 << 17
"""Entries of one read at the most: 512 MiB of addresses, 1 MiB of answers."""
_GAP = 64
"""Pages between two areas that are cheaper read over than asked for apart."""
_TRIED = 64


def present(descriptor: int, areas: Iterable[Area], check: Callable[[], None]) -> Iterator[tuple[Area, array[int]]]:
    """What an open pagemap says of areas in the order of their addresses; a large one comes in several parts.

    Each that has pages of its file, with the frame of each page: 0 where it is absent, or a private copy and none of
    the file's. `check` is called before each read and may raise. OSError when the process has ended.
    """
    for run in _runs(areas):
        check()
        start = run[0].start // PAGE
        frames = _frames(os.pread(descriptor, (run[-1].end // PAGE - start) * 8, start * 8))
        if not frames:
            continue  # nothing there: most of what is large and sparse
        for area in run:
            first, end = area[:2]
            found = frames[first // PAGE - start : end // PAGE - start]
            if any(found):
                yield area, found


def shows_frames(descriptor: int, areas: Iterable[Area]) -> bool | None:
    """Whether an open pagemap shows the frames of pages that are present; None where the first areas have none."""
    for area, _ in zip(areas, range(_TRIED), strict=False):
        count = min((area.end - area.start) // PAGE, _CHUNK)
        data = os.pread(descriptor, count * 8, area.start // PAGE * 8)
        entry = next((entry for entry in memoryview(data[: len(data) // 8 * 8]).cast("Q") if entry & _PRESENT), None)
        if entry is not None:
            return entry & _FRAME != 0
    return None


def _frames(entries: bytes) -> array[int]:
    """The frame of each entry that is present, not swapped out, and of a file; 0 of the others, none where all are 0.

    All are masked at once, as one number: a lane of 64 bits each, which is several times as fast as one by one.
    """
    number = int.from_bytes(entries, sys.byteorder)
    if not number:
        return array("Q")
    lanes = int.from_bytes(_ONE * (len(entries) // 8), sys.byteorder)
    files = number >> 63 & number >> 61 & ~(number >> 62) & lanes
    found = array("Q")
    if files:
        found.frombytes((number & files * _FRAME).to_bytes(len(entries), sys.byteorder))
    return found


def frame(descriptor: int, address: int) -> int:
    """The frame at an address, 0 for none."""
    entry = int.from_bytes(os.pread(descriptor, 8, address // PAGE * 8), sys.byteorder)
    return entry & _FRAME if entry & _PRESENT else 0


def _runs(areas: Iterable[Area]) -> Iterator[list[Area]]:
    """Neighbours that are read at once, none longer than a read."""
    run: list[Area] = []
    first = last = 0
    for area in areas:
        start, end = area.start, area.end
        if start - last > _GAP * PAGE or end - first > _CHUNK * PAGE:
            if run:
                yield run
            run, first = [], start
        if end - start > _CHUNK * PAGE:
            yield from _parts(area)
        else:
            run.append(area)
        last = end
    if run:
        yield run


def _parts(area: Area) -> Iterator[list[Area]]:
    for start in range(area.start, area.end, _CHUNK * PAGE):
        end = min(start + _CHUNK * PAGE, area.end)
        yield [area._replace(start=start, end=end, offset=area.offset + start - area.start)]
