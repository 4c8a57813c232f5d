"""A process looked into page by page."""

from __future__ import annotations

import os
from bisect import bisect
from collections.abc import Iterable, Sequence
from itertools import accumulate

import msgspec

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.contents import Contents
from memlint.kernel.files import Files, Mapped
from memlint.kernel.mappings import DELETED, Area, areas
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

    def __init__(self, proc: str, bounds: Bounds, budget: Budget, notes: Notes) -> None:
        self.residencies: list[Residency] = []
        self.mappings = 0
        self._bounds, self._budget, self._notes = bounds, budget, notes
        self._host, self._contents = Namespaces(proc), Contents(bounds.file_bytes, budget.check)
        self._files: dict[tuple[str, str | None], Files] = {}
        self._known: dict[tuple[ContentID, int], Residency] = {}
        self._shown: bool | None = None

    def of(self, process: ProcessDirectory, known: Process) -> Process:
        """The process, with its program. HiddenError where frames are not shown, SpentError where time is over."""
        mapped = areas(process.read("maps"))
        descriptor = process.open("pagemap")
        try:
            self._check(descriptor, mapped)
            files = self._named(process, known.container, mapped)
            named = [area for area in mapped if area.file in files]
            found = self._held(descriptor, self._allowed(process.pid, named, files), files)
        finally:
            os.close(descriptor)
        self.residencies += [self._residency(process.pid, seen, parts) for seen, parts in found.items()]
        self.mappings += sum(area.file in files for area in mapped)
        return msgspec.structs.replace(known, walked=True, program=_program(process, files.values()))

    def _check(self, descriptor: int, mapped: Sequence[Area]) -> None:
        if self._shown is None:
            self._shown = shows_frames(descriptor, mapped)
        if self._shown is False:
            raise HiddenError

    def _named(self, process: ProcessDirectory, container: str | None, mapped: Sequence[Area]) -> dict[bytes, Mapped]:
        """The files among what is mapped, by their names in maps."""
        key = (self._host.namespace(process), container)
        if key not in self._files:
            self._files[key] = Files(self._host, self._contents, container or "", self._notes, self._budget)
        files = self._files[key]
        found = {}
        for area in {area.file: area for area in mapped}.values():
            self._budget.check()  # a content may have to be read first
            file = files.of(process, area)
            if file is not None:
                found[area.file] = file
        return found

    def _held(self, descriptor: int, mapped: Sequence[Area], files: dict[bytes, Mapped]) -> dict[Seen, list[Part]]:
        """What holds the process's file pages."""
        found: dict[Seen, list[Part]] = {}
        for area, frames in present(descriptor, mapped):
            if any(frames):
                part = (area.offset // PAGE, frames)
                found.setdefault(files[area.file].holder(part), []).append(part)
        return found

    def _allowed(self, pid: int, mapped: Sequence[Area], files: dict[bytes, Mapped]) -> Sequence[Area]:
        """What is not too large to walk, each and all together: addresses cost a process nothing."""
        most = self._bounds.mapping_bytes
        for area in mapped:
            if area.end - area.start > most:
                self._notes.large(files[area.file].choices[-1].path, area.end - area.start)
        small = [area for area in mapped if area.end - area.start <= most]
        sums = list(accumulate(area.end - area.start for area in small))
        if sums and sums[-1] > most * _TIMES:
            self._notes.add(f"some pages of process {pid}", f"it maps files at {sums[-1]} bytes of addresses")
            return small[: bisect(sums, most * _TIMES)]
        return small

    def _residency(self, pid: int, seen: Seen, parts: list[Part]) -> Residency:
        """Equal pages in equal frames are kept once, in whatever number of processes."""
        pages, frames = joined(parts)
        key = (seen.content, hash(frames.tobytes()))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Residency(pid, seen, pages, frames)
        elif known.frames.tobytes() == frames.tobytes() and known.pages.tobytes() == pages.tobytes():
            pages, frames = known.pages, known.frames
        return Residency(pid, seen, pages, frames)


def _program(process: ProcessDirectory, files: Iterable[Mapped]) -> ContentID | None:
    """The content of the process's executable, None where it maps nothing of it."""
    try:
        path = process.link("exe").removesuffix(DELETED)
    except OSError:
        return None
    return next((seen.content for file in files for seen in file.choices[-1:] if seen.path == path), None)
