"""The frames that were seen, and which page of which content each holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memlint.kernel.residency import Residency
from memlint.model.digest import ContentID


class _Held:
    """Of one content: all frames, and of each page those that hold it."""

    def __init__(self) -> None:
        self.frames: set[int] = set()
        self.by_page: dict[int, list[int]] = {}

    def add(self, each: Residency) -> None:
        if self.frames.issuperset(each.frames):  # most often: another process has them, too
            return
        new = set(each.frames) - self.frames
        self.frames |= new
        for page, frame in zip(each.pages, each.frames, strict=True):
            if frame in new:
                self.by_page.setdefault(page, []).append(frame)


class Pages:
    """Of each content and each page of it, the frames that hold it; and of each process, its frames."""

    def __init__(self, residencies: Sequence[Residency]) -> None:
        self._of: dict[int, list[Residency]] = {}
        self._held: dict[ContentID, _Held] = {}
        for each in residencies:
            self._of.setdefault(each.pid, []).append(each)
            self._held.setdefault(each.file.content, _Held()).add(each)
        held = [each.by_page.values() for each in self._held.values()]
        self._doubled = {frame for pages in held for frames in pages if len(frames) > 1 for frame in frames}

    def frames(self) -> int:
        """How many frames hold pages of files."""
        return len(set().union(*(held.frames for held in self._held.values())))

    def distinct(self) -> int:
        """How many different pages they hold; a frame whose content changed meanwhile holds one all the same."""
        return min(self.frames(), sum(len(held.by_page) for held in self._held.values()))

    def of_one(self, pid: int) -> int:
        """How many frames a process has. Contents have none in common."""
        found: dict[ContentID, list[Residency]] = {}
        for each in self._of.get(pid, ()):
            found.setdefault(each.file.content, []).append(each)
        return sum(len(group[0].frames) if len(group) == 1 else len(_union(group)) for group in found.values())

    def of(self, pids: Iterable[int]) -> set[int]:
        """The frames of these processes."""
        return _union(each for pid in pids for each in self._of.get(pid, ()))

    def doubled(self, pids: Iterable[int]) -> int:
        """How many of their frames hold what another frame among what was looked at holds, too."""
        return len(self.of(pids) & self._doubled)

    def content(self, content: ContentID) -> tuple[int, int]:
        """(frames, those beyond the first of each page) of a content."""
        held = self._held[content]
        return len(held.frames), len(held.frames) - len(held.by_page)


def _union(residencies: Iterable[Residency]) -> set[int]:
    return set().union(*(each.frames for each in residencies))
