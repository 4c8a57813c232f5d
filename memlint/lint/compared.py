"""What the checks of compared images look at, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from memlint.lint.places import Places
from memlint.model.digest import ChainID
from memlint.model.finding import Hit, Related
from memlint.model.layer import Package
from memlint.model.report import Placement, Report, UnsharedFile
from memlint.model.units import human_size, plural

_RELATED_MAX = 5
"""Other layers that a finding names; the report itself has all."""


class Compared(msgspec.Struct, frozen=True):
    """A report, where its layers come from, and the cause of duplicates that the rule is about, if it is about one."""

    report: Report
    places: Places
    cause: str | None = None


class Share(msgspec.Struct, frozen=True):
    """One file in one layer: `size` bytes, as far as the layer answers for them; `elsewhere` else it lies.

    `by_profile` says that these are what running containers were seen to keep, not all that can be mapped.
    """

    path: str
    size: int
    package: str
    elsewhere: tuple[Placement, ...]
    by_profile: bool = False


class Blamed:
    """Files by the layer that answers for them."""

    def __init__(self, compared: Compared) -> None:
        self._compared = compared
        self._names = {image.ref: image.name for image in compared.report.images}
        self._layers: dict[ChainID, tuple[Placement, list[Share]]] = {}

    def add(self, placement: Placement, share: Share) -> None:
        """A file that the layer of the placement answers for."""
        self._layers.setdefault(placement.chain_id, (placement, []))[1].append(share)

    def hits(self, min_bytes: int) -> Iterator[Hit]:
        """One hit per layer that answers for so many bytes, the worst first."""
        for place, shares in sorted(self._layers.values(), key=lambda layer: -sum(share.size for share in layer[1])):
            size = sum(share.size for share in shares)
            if size < min_bytes:
                continue
            worst = max(shares, key=lambda share: share.size)
            others = self._others(place, shares)
            yield Hit(
                location=self._compared.places.of(place.image, place.layer),
                evidence={
                    "image": self._names[place.image],
                    "layer": place.layer + 1,
                    "bytes": size,
                    "size": sized(self._compared.report, size, {share.by_profile for share in shares}),
                    "files": len(shares),
                    "count": plural(len(shares), "file"),
                    "file": worst.path,
                    "package": worst.package,
                    "where": self._where(others),
                },
                related=tuple(
                    Related(self._compared.places.of(other.image, other.layer), self._label(other))
                    for other in others[:_RELATED_MAX]
                ),
            )

    def _others(self, place: Placement, shares: Iterable[Share]) -> list[Placement]:
        """The other layers that hold the files, those with most bytes of them first."""
        weights: dict[ChainID, tuple[int, Placement]] = {}
        for share in shares:
            for other in share.elsewhere:
                if other.chain_id != place.chain_id:
                    weight, first = weights.get(other.chain_id, (0, other))
                    weights[other.chain_id] = (weight + share.size, first)
        return [other for _, other in sorted(weights.values(), key=lambda each: -each[0])]

    def _label(self, placement: Placement) -> str:
        return f"layer {placement.layer + 1} of {self._names[placement.image]}"

    def _where(self, others: Sequence[Placement]) -> str:
        if not others:
            return "another path of the same layer"
        more = len(others) - 1
        return self._label(others[0]) + (f" and {plural(more, 'other layer')}" if more else "")


def unshared_hits(compared: Compared, reason: str, min_bytes: int) -> Iterator[Hit]:
    """One hit per layer with files that are not shared for that reason."""
    blamed = Blamed(compared)
    for file in compared.report.unshared:
        if file.reason == reason:
            for placement in _once_a_layer(file):
                blamed.add(placement, Share(placement.path, file.size, package_name(file.package), ()))
    yield from blamed.hits(min_bytes)


def sized(report: Report, size: int, by_profile: set[bool]) -> str:
    """The size for people; where a profile was given, with its basis."""
    if report.profile is None:
        return human_size(size)
    bases = ["by profile"] * (True in by_profile) + ["mappable"] * (False in by_profile)
    return f"{human_size(size)} ({' and '.join(bases)})"


def package_name(package: Package | None) -> str:
    """A package as people write it; "" for a file of none."""
    return f"{package.name} {package.version}" if package else ""


def _once_a_layer(file: UnsharedFile) -> Iterator[Placement]:
    seen = set()
    for placement in file.placements:
        if placement.chain_id not in seen:
            seen.add(placement.chain_id)
            yield placement
