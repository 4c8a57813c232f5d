"""A process looked into page by page."""

from __future__ import annotations

import os
from bisect import bisect, bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import msgspec

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.contents import Contents, Remembered
from memlint.kernel.files import Files
from memlint.kernel.mappings import Area, areas, name
from memlint.kernel.namespaces import Namespaces
from memlint.kernel.pagemap import PAGE, present, shows_frames
from memlint.kernel.parts import Part, joined
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Process, Residency, Seen
from memlint.kernel.unseen import Notes
from memlint.model.digest import ContentID

_TIMES = 64
"""How many mappings of the greatest size a process may have of files, before the rest is left out."""


class HiddenError(Exception):
    """The kernel does not show frames to this user. It never leaves this room."""


class Walk:
    """Goes through processes one by one; what it finds is in `residencies`."""

    def __init__(
        self, proc: str, bounds: Bounds, budget: Budget, notes: Notes, remembered: Remembered | None = None
    ) -> None:
        self.residencies: list[Residency] = []
        self.mappings = 0
        self._bounds, self._budget, self._notes = bounds, budget, notes
        self._host, self._contents = Namespaces(proc), Contents(bounds.file_bytes, budget.check, remembered)
        self._files: dict[tuple[str, str | None], Files] = {}
        self._known: dict[tuple[ContentID, int], Residency] = {}
        self._shown: bool | None = None

    def of(self, process: ProcessDirectory, known: Process) -> Process:
        """The process, with its program. HiddenError where frames are not shown, SpentError where time is over."""
        mapped = areas(process.read("maps"))
        named = {area.file: area for area in mapped} | {area.file: area for area in mapped if area.written}
        files, program = self._files_of(process, known.container), _program(process, named.values())
        descriptor = process.open("pagemap")
        try:
            self._check(descriptor, mapped)
            seen = files.of(named)
            none = {file for file, found in seen.items() if found is None}
            possible = [area for area in mapped if area.file not in none]
            allowed, large = self._allowed(process, files, possible, named)
            there = self._there(descriptor, [area for area in allowed if area.file not in seen])
            for file, area in named.items():
                if file not in seen and (file in there or area is program):
                    self._budget.check()
                    seen[file] = files.know(process, area)
            parts = self._parts(descriptor, [area for area in allowed if seen.get(area.file) is not None])
        finally:
            os.close(descriptor)
        held = ((it, parts[file]) for file, it in seen.items() if it is not None and file in parts)
        found = [self._residency(process.pid, *each) for it, its in held for each in it.held(its)]
        self.residencies += found
        self.mappings += len(allowed)
        blind = not found and (large or files.are_unread(named))
        executable = None if program is None else seen.get(program.file)
        content = None if executable is None else executable.content
        return msgspec.structs.replace(known, walked=True, blind=blind, program=content)

    def _check(self, descriptor: int, mapped: Sequence[Area]) -> None:
        if self._shown is None:
            self._shown = shows_frames(descriptor, mapped)
        if self._shown is False:
            raise HiddenError

    def _files_of(self, process: ProcessDirectory, container: str | None) -> Files:
        key = (self._host.namespace(process), container)
        if key not in self._files:
            self._files[key] = Files(self._host, self._contents, container or "", self._notes, self._budget)
        return self._files[key]

    def _allowed(
        self, process: ProcessDirectory, files: Files, mapped: Sequence[Area], named: Mapping[bytes, Area]
    ) -> tuple[Sequence[Area], bool]:
        """What is not too large to walk, each and all together, for addresses cost a process nothing; and whether
        anything is too large."""
        most = self._bounds.mapping_bytes
        large = [area for area in mapped if area.end - area.start > most and files.is_file(process, named[area.file])]
        for area in large:
            self._notes.large(name(area.file).path, area.end - area.start)
        small = [area for area in mapped if area.end - area.start <= most]
        if sum(area.end - area.start for area in small) <= most * _TIMES:
            return small, bool(large)
        small = [area for area in small if files.is_file(process, named[area.file])]  # memory does not count
        sums = list(accumulate(area.end - area.start for area in small))
        if sums and sums[-1] > most * _TIMES:
            self._notes.add(f"some pages of process {process.pid}", f"it maps files at {sums[-1]} bytes of addresses")
        return small[: bisect(sums, most * _TIMES)], bool(large)

    def _there(self, descriptor: int, mapped: Iterable[Area]) -> set[bytes]:
        """The files of which it has pages: what has none need not be read, however large it is."""
        found: set[bytes] = set()
        left = (area for area in mapped if area.file not in found)  # the first page will do
        found.update(area.file for area, _ in present(descriptor, left, self._budget.check))
        return found

    def _parts(self, descriptor: int, mapped: Sequence[Area]) -> dict[bytes, list[Part]]:
        """The pages that are there of each file."""
        found: dict[bytes, list[Part]] = {}
        for area, frames in present(descriptor, mapped, self._budget.check):
            found.setdefault(area.file, []).append((area.offset // PAGE, frames))
        return found

    def _residency(self, pid: int, seen: Seen, parts: Sequence[Part]) -> Residency:
        """Equal pages in equal frames are kept once, in whatever number of processes."""
        pages, frames = joined(parts)
        most = -(-seen.size // PAGE)
        if pages and pages[-1] >= most:
            self._notes.changed(seen.path)
            end = bisect_left(pages, most)
            pages, frames = pages[:end], frames[:end]
        key = (seen.content, hash(frames.tobytes()))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Residency(pid, seen, pages, frames)
        elif known.frames.tobytes() == frames.tobytes() and known.pages.tobytes() == pages.tobytes():
            pages, frames = known.pages, known.frames
        return Residency(pid, seen, pages, frames)


def _program(process: ProcessDirectory, mapped: Iterable[Area]) -> Area | None:
    """A mapping of the process's executable; None where it has none."""
    try:
        path = process.link("exe")
    except OSError:
        return None
    end = os.fsencode(path.replace("\n", "\\012"))
    return next((area for area in mapped if area.file.endswith(end) and name(area.file).path == path), None)
