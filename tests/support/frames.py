"""The kernel on which pages containers share: the frames behind their file mappings, by /proc/PID/pagemap."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = 4096
_PRESENT, _FILE, _FRAME = 1 << 63, 1 << 61, (1 << 55) - 1
_SHIFT = 12


class Held(NamedTuple):
    """File pages that processes have mapped: `frames` of memory, which hold `pages` of distinct content."""

    frames: int
    pages: int

    @property
    def duplicate_bytes(self) -> int:
        return (self.frames - self.pages) * PAGE


Pages = dict[tuple[str, int], set[int]]
"""Content and page number → the frames that hold it."""


def held(pids: list[int]) -> Held:
    """What all these processes hold together."""
    frames = pages(pids)
    return Held(len({frame for each in frames.values() for frame in each}), len(frames))


def pages(pids: list[int]) -> Pages:
    """What is in which frames."""
    found: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for pid in pids:
        for mapping in _mappings(pid):
            content = _content(*_identity(mapping.place))
            for number, frame in enumerate(_frames(pid, mapping.start, mapping.end)):
                if frame is not None:
                    found[content, mapping.offset // PAGE + number].add(frame)
    return dict(found)


def by_path(pids: list[int]) -> dict[str, set[int]]:
    """The frames of each file that these processes of one container have mapped, by its path there."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for pid in pids:
        for mapping in _mappings(pid):
            frames = _frames(pid, mapping.start, mapping.end)
            found[mapping.path].update(frame for frame in frames if frame is not None)
    return dict(found)


def proportional(pids: list[int]) -> dict[int, dict[str, int]]:
    """PSS in kB of each mapping of a file, as long as no other process maps the same: by process, then by addresses.

    Counted as fs/proc/task_mmu.c does: every page over the number of its mappings, in fixed point.
    """
    entries = {
        (pid, f"{each.start:08x}-{each.end:08x}"): _entries(pid, each.start, each.end)
        for pid in pids
        for each in _mappings(pid)
    }
    mappings = Counter(entry & _FRAME for each in entries.values() for entry in each if entry & _PRESENT)
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for (pid, addresses), each in entries.items():
        shares = ((PAGE << _SHIFT) // mappings[entry & _FRAME] for entry in each if entry & _PRESENT)
        found[pid][addresses] = sum(shares) >> _SHIFT >> 10
    return dict(found)


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


class _Mapping(NamedTuple):
    """A mapping of a file: `path` there, `place` opens it, whatever its path names by now."""

    start: int
    end: int
    offset: int
    path: str
    place: str


_SHARED_MEMORY = "/dev/zero (deleted)"
"""What maps calls memory that is shared and is no file's."""


def _mappings(pid: int) -> list[_Mapping]:
    found = []
    places: dict[str, str] = {}
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        area, _, offset, device, *rest = line.split(maxsplit=5)
        if device == "00:00" or len(rest) < 2 or not rest[1].startswith("/") or rest[1] == _SHARED_MEMORY:
            continue
        start, end = (int(part, 16) for part in area.split("-"))
        place = places.setdefault(f"{device} {rest}", f"/proc/{pid}/map_files/{start:x}-{end:x}")
        found.append(_Mapping(start, end, int(offset, 16), rest[1], place))
    return found


def _frames(pid: int, start: int, end: int) -> list[int | None]:
    """The frame of each page that is a page of the file: no private copy, and present."""
    entries = _entries(pid, start, end)
    return [entry & _FRAME if entry & _PRESENT and entry & _FILE else None for entry in entries]


def _entries(pid: int, start: int, end: int) -> memoryview[int]:
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        data = os.pread(file.fileno(), (end - start) // PAGE * 8, start // PAGE * 8)
    return memoryview(data).cast("Q")


def _identity(place: str) -> tuple[str, int, int, int]:
    status = os.stat(place)
    return place, status.st_dev, status.st_ino, status.st_mtime_ns


@cache
def _content(place: str, _device: int, _inode: int, _changed: int) -> str:
    return hashlib.sha256(Path(place).read_bytes()).hexdigest()
