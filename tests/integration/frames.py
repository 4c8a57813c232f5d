"""The kernel on which pages containers share: the frames behind their file mappings, by /proc/PID/pagemap."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

PAGE = 4096
_PRESENT, _FILE, _FRAME = 1 << 63, 1 << 61, (1 << 55) - 1


class Held(NamedTuple):
    """File pages that processes have mapped: `frames` of memory, which hold `pages` of distinct content."""

    frames: int
    pages: int

    @property
    def duplicate_bytes(self) -> int:
        return (self.frames - self.pages) * PAGE


def held(pids: list[int]) -> Held:
    """What all these processes hold together."""
    frames: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for pid in pids:
        for start, end, offset, path in _mappings(pid):
            content = _content(*_identity(pid, path))
            for number, frame in enumerate(_frames(pid, start, end)):
                if frame is not None:
                    frames[content, offset // PAGE + number].add(frame)
    return Held(len({frame for each in frames.values() for frame in each}), len(frames))


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _mappings(pid: int) -> list[tuple[int, int, int, str]]:
    """The file mappings of a process: first and last address, offset, path as the process sees it."""
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        area, _, offset, device, *rest = line.split(maxsplit=5)
        if device == "00:00" or len(rest) < 2 or not rest[1].startswith("/") or rest[1].endswith(" (deleted)"):
            continue
        start, end = (int(part, 16) for part in area.split("-"))
        found.append((start, end, int(offset, 16), rest[1]))
    return found


def _frames(pid: int, start: int, end: int) -> list[int | None]:
    """The frame of each page that is a page of the file: no private copy, and present."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        data = os.pread(file.fileno(), (end - start) // PAGE * 8, start // PAGE * 8)
    entries = memoryview(data).cast("Q")
    return [entry & _FRAME if entry & _PRESENT and entry & _FILE else None for entry in entries]


def _identity(pid: int, path: str) -> tuple[str, int, int]:
    place = f"/proc/{pid}/root{path}"
    status = os.stat(place)
    return place, status.st_dev, status.st_ino


@cache
def _content(place: str, _device: int, _inode: int) -> str:
    return hashlib.sha256(Path(place).read_bytes()).hexdigest()
