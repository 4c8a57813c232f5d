"""A mapped file, and which of the files that it may be holds the pages that a process has of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import msgspec

from memlint.kernel.judge import holds
from memlint.kernel.parts import Part, there
from memlint.kernel.residency import Seen
from memlint.model.digest import ContentID

_ASKED = 3
"""Pages whose frames tell which file holds them: one may have been moved or dropped since it was seen."""


class Mapped(msgspec.Struct, frozen=True, eq=False):
    """A file that processes of one container map: what may hold its pages, the likeliest last.

    `places` are where all choices but the last can be opened.
    """

    choices: tuple[Seen, ...]
    places: tuple[str, ...] = ()

    @property
    def content(self) -> ContentID:
        """What it holds most likely."""
        return self.choices[-1].content

    def held(self, parts: list[Part]) -> Iterable[tuple[Seen, list[Part]]]:
        """The files that have these pages in their frames."""
        if not self.places:
            return ((self.choices[-1], parts),)
        found: dict[Seen, list[Part]] = {}
        for part in parts:
            found.setdefault(self._holder(part), []).append(part)
        return found.items()

    def _holder(self, part: Part) -> Seen:
        """The file of one part; a few of its pages tell."""
        asked = list(islice(there(part), _ASKED))
        for seen, place in zip(self.choices, self.places, strict=False):
            if any(holds(place, page, frame) for page, frame in asked):
                return seen
        return self.choices[-1]
