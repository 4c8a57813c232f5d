"""The packages that a container of an image sees, as the databases that it sees say, and its distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from memlint.model.digest import DiffID
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.image import Image, Layer
from memlint.model.layer import Installed, LayerIndex, Release


def packages_of(image: Image, indexes: Mapping[DiffID, LayerIndex]) -> tuple[Installed, ...]:
    """All packages, sorted; of a distribution's database that several layers have, the topmost holds."""
    found: list[Installed] = []
    hides = _Hides()
    seen: set[str] = set()
    for layer in reversed(image.layers):
        index = indexes[layer.diff_id]
        for package in index.installed:
            if package.package.type in DISTRIBUTION and package.database in seen:
                continue
            if not hides.hidden(package.database):
                found.append(package)
        seen.update(package.database for package in index.installed)
        hides.add(index)
    return tuple(sorted(found, key=lambda each: (each.package, each.database)))


def release_of(layers: Iterable[Layer], indexes: Mapping[DiffID, LayerIndex]) -> Release | None:
    """The distribution that the topmost os-release names."""
    releases = [indexes[layer.diff_id].release for layer in layers]
    return next((release for release in reversed(releases) if release is not None), None)


class _Hides:
    """What the layers above hide."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._opaque: set[str] = set()

    def add(self, index: LayerIndex) -> None:
        self._names.update(index.whiteouts, index.others, index.symlinks)
        self._opaque.update(index.opaque)

    def hidden(self, path: str) -> bool:
        if path in self._names:
            return True
        while path := path.rpartition("/")[0]:
            if path in self._names or path in self._opaque:
                return True
        return "" in self._opaque
