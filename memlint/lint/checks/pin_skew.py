"""One package in different versions in the images of one repository."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.aliases import key_of
from memlint.lint.fleet import fleets, natural, related, where
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memlint.lint.built import Built
    from memlint.lint.contents import Listed
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location

Key = tuple[str, ...]
"""What a package is told by: its ecosystem and name, and for those of a distribution the base."""
Versions = dict[str, dict[tuple[str, int], "Built"]]
"""Version → Dockerfile and line → image; images that have the stage there in common are one."""


class Pin(msgspec.Struct, frozen=True, eq=False):
    """What an image lists, the images with the usual version, and what the first of them lists."""

    built: Built
    listed: Listed
    usual: Sequence[Built]
    other: Listed

    @property
    def pair(self) -> Iterator[tuple[Location, str]]:
        """Both places, with what is there."""
        for built, listed in ((self.built, self.listed), (self.usual[0], self.other)):
            yield listed.named(built.path), f"{listed.name} {listed.version}"


def pin_skew(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per install command with pins that most of the others do not have."""
    for fleet in fleets(repository, all_files=all_files):
        skewed: dict[Location, list[Pin]] = defaultdict(list)
        for key, versions in _pins(fleet).items():
            for pin in _minorities(key, versions, min_images):
                skewed[pin.listed.installed(pin.built.path)].append(pin)
        for location, pins in sorted(skewed.items(), key=lambda item: (item[0].path, _line(item[0]))):
            yield _hit(location, pins)


def _pins(fleet: Sequence[Built]) -> Mapping[Key, Versions]:
    """The pinned packages that processes map."""
    pins: dict[Key, Versions] = defaultdict(dict)
    for built in fleet:
        seen: set[tuple[Key, str]] = set()
        for listed in built.content.packages:
            key = _key(built, listed)
            if listed.version is not None and (key, listed.version) not in seen:
                seen.add((key, listed.version))
                pins[key].setdefault(listed.version, {}).setdefault((built.path, listed.place[0]), built)
    return pins


def _key(built: Built, listed: Listed) -> Key:
    base = (key_of(built.base),) if listed.ecosystem in DISTRIBUTION else ()
    return listed.ecosystem, listed.name, *base


def _listed(built: Built, key: Key, version: str) -> Listed:
    """The first that an image lists of a package in a version."""
    return next(each for each in built.content.packages if each.version == version and _key(built, each) == key)


def _minorities(key: Key, versions: Versions, min_images: int) -> Iterator[Pin]:
    """What lists another version than most do, with those that list the usual one."""
    if len(versions) < 2 or len({place for places in versions.values() for place in places}) < min_images:
        return
    common = max(versions, key=lambda version: (len(versions[version]), natural(version)))
    usual = list(versions[common].values())
    having = {_image(built) for built in usual}
    other = _listed(usual[0], key, common)
    for version, places in versions.items():
        for built in places.values():
            if version != common and _image(built) not in having:
                yield Pin(built, _listed(built, key, version), usual, other)


def _image(built: Built) -> tuple[str, str]:
    return built.path, built.target


def _hit(location: Location, pins: Sequence[Pin]) -> Hit:
    pin, more = pins[0], len(pins) - 1
    return Hit(
        location=location,
        evidence={
            "package": pin.listed.name,
            "version": pin.listed.version or "",
            "usual": pin.other.version or "",
            "where": where(pin.other.named(pin.usual[0].path), len(pin.usual)),
            "number": len(pins),
            "more": f", and {more} more differ" if more > 1 else ", and one more differs" if more else "",
        },
        related=related(pair for each in pins for pair in each.pair),
    )


def _line(location: Location) -> int:
    return location.span.line if location.span else 0
