"""The frames that were seen, and which page of which content each holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from memlint.kernel.residency import Residency
from memlint.model.digest import ContentID


class _Held:
    """Of one content: all frames, how many different pages they hold, and which of them hold what another holds, too.

    All frames and all pages are counted at once; which frame holds which page matters only where they are more.
    """

    def __init__(self, residencies: Sequence[Residency]) -> None:
        self.frames: set[int] = set()
        new = []
        for each in residencies:
            known = len(self.frames)
            self.frames.update(each.frames)
            if len(self.frames) > known:  # most often not: another process has them, too
                new.append(each)
        pages = set().union(*(each.pages for each in new))
        self.pages = min(len(pages), len(self.frames))  # a frame whose content changed meanwhile holds one all the same
        self.doubled = _doubled(new) if len(self.frames) > self.pages else frozenset()


class Pages:
    """Of each content and each page of it, the frames that hold it; and of each process, its frames."""

    def __init__(self, residencies: Sequence[Residency]) -> None:
        self._of: dict[int, list[Residency]] = {}
        contents: dict[ContentID, list[Residency]] = {}
        for each in residencies:
            self._of.setdefault(each.pid, []).append(each)
            contents.setdefault(each.file.content, []).append(each)
        self._held = {content: _Held(group) for content, group in contents.items()}
        self._doubled: set[int] = set().union(*(held.doubled for held in self._held.values()))
        self._frames = len(set().union(*(held.frames for held in self._held.values())))

    def frames(self) -> int:
        """How many frames hold pages of files."""
        return self._frames

    def distinct(self) -> int:
        """How many different pages they hold; a frame whose content changed meanwhile holds one all the same."""
        return min(self._frames, sum(held.pages for held in self._held.values()))

    def of_one(self, pid: int) -> int:
        """How many frames a process has. Contents have none in common."""
        found: dict[ContentID, list[Residency]] = {}
        for each in self._of.get(pid, ()):
            found.setdefault(each.file.content, []).append(each)
        return sum(len(group[0].frames) if len(group) == 1 else len(_union(group)) for group in found.values())

    def of(self, pids: Iterable[int]) -> set[int]:
        """The frames of these processes."""
        return _union(each for pid in pids for each in self._of.get(pid, ()))

    def doubled(self, frames: Set[int]) -> int:
        """How many of these frames hold what another frame among what was looked at holds, too."""
        return len(frames & self._doubled)

    def content(self, content: ContentID) -> tuple[int, int]:
        """(frames, those beyond the first of each page) of a content."""
        held = self._held[content]
        return len(held.frames), len(held.frames) - held.pages


def _doubled(residencies: Iterable[Residency]) -> frozenset[int]:
    """The frames of pages that several frames hold."""
    by_page: dict[int, set[int]] = {}
    for each in residencies:
        for page, frame in zip(each.pages, each.frames, strict=True):
            by_page.setdefault(page, set()).add(frame)
    return frozenset().union(*(frames for frames in by_page.values() if len(frames) > 1))


def _union(residencies: Iterable[Residency]) -> set[int]:
    return set().union(*(each.frames for each in residencies))
