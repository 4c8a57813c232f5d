"""Why two inodes hold the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice

from memlint.model.digest import ChainID
from memlint.model.image import Image
from memlint.sharing.view import Visible

BASE_DRIFT = "base drift"
OTHER_PARENT = "same layer, other parent"
REINSTALLED = "reinstalled"
REBUILT = "rebuilt"
COPIED_UP = "copied up"
VENDORED = "vendored"
STORAGE = "storage driver"

CAUSES = (COPIED_UP, OTHER_PARENT, REBUILT, REINSTALLED, BASE_DRIFT, VENDORED, STORAGE)
"""In this order where a duplicate has several: the one whose cure is nearest comes first."""

_COMPARED = 8
"""How many other inodes at its path a file is compared with: more would cost a big fleet and tell nothing new."""

Place = tuple[ChainID, str]
Steps = tuple[tuple[ChainID, str, str], ...]
"""A chain as (chain ID, diff ID, created_by) of each layer, bottom first."""


class Causes:
    """Tells causes for the placements of a fleet's files."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._steps: dict[ChainID, Steps] = {}
        for image in images:
            steps: Steps = ()
            for layer in image.layers:
                steps = (*steps, (layer.chain_id, layer.diff_id, layer.created_by))
                self._steps.setdefault(layer.chain_id, steps)
        self._between = lru_cache(maxsize=None)(self._chains)

    def of_copies(self, inodes: Sequence[tuple[str, Visible]]) -> list[str | None]:
        """Why each of the inodes is one of its own; `inodes` are (path, file), one content.

        None for one of them: the inode that holds the content were it shared.
        """
        order = sorted(range(len(inodes)), key=lambda number: inodes[number][1].origin is not None)
        originals = Counter(_place(file.first()) for file in {_place(file): file for _, file in inodes}.values())
        earlier: dict[str, dict[Place, Visible]] = {}
        causes: list[str | None] = [None] * len(inodes)
        for number in order:
            path, file = inodes[number]
            others = earlier.setdefault(path, {})
            if number != order[0]:
                causes[number] = self._of_inode(file, others, originals)
            others.setdefault(_place(file), file)
        return causes

    def _of_inode(self, file: Visible, earlier: Mapping[Place, Visible], originals: Mapping[Place, int]) -> str:
        """Why a file is not one inode with those `earlier` at its path; all have one content."""
        if _place(file) in earlier:
            return STORAGE
        if file.origin is not None and originals[_place(file.first())] > 1:
            return COPIED_UP
        if not earlier:
            return VENDORED
        return min((self._of_pair(other, file) for other in islice(earlier.values(), _COMPARED)), key=CAUSES.index)

    def _of_pair(self, one: Visible, other: Visible) -> str:
        a, b = one.first(), other.first()
        return self._between(a.chain_id, b.chain_id, a.package is not None and a.package == b.package)

    def _chains(self, one: ChainID, other: ChainID, same_package: bool) -> str:
        """Why one path's content lies in the top layers of two chains."""
        a, b = self._steps[one], self._steps[other]
        if one != other and a[-1][1] == b[-1][1] and len(a) > 1 < len(b):
            return OTHER_PARENT
        parting = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x[0] != y[0]), min(len(a), len(b)))
        alike = [step[2] for step in a[parting:]] == [step[2] for step in b[parting:]] and a[-1][2] != ""
        if parting == 0:
            bottom = len(a) == 1 or len(b) == 1
            return BASE_DRIFT if bottom or a[-1][2] == b[-1][2] or not same_package else REINSTALLED
        return REBUILT if alike else REINSTALLED


def counted(causes: Iterable[str | None]) -> dict[str, int]:
    """How many inodes each cause explains, the one that explains most first."""
    counts = Counter(cause for cause in causes if cause is not None)
    return {cause: counts[cause] for cause in sorted(counts, key=lambda cause: (-counts[cause], CAUSES.index(cause)))}


def _place(file: Visible) -> Place:
    return (file.chain_id, file.file.link)
