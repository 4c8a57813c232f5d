"""Layers that bring other builds of libraries than the images they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from memlint.lint.compared import Blamed, Compared, Share, package_name
from memlint.lint.thresholds import Bytes
from memlint.model.finding import Hit
from memlint.model.report import Placement, Version, VersionSkew


def version_skew(compared: Compared, *, min_bytes: Bytes) -> Iterator[Hit]:
    """The layers with the builds that fewer images have; images of another libc are no measure."""
    libc = {image.ref: next(iter(image.libc), None) for image in compared.report.images}
    blamed = Blamed(compared)
    for skew in compared.report.version_skew:
        for versions in _comparable(skew, libc):
            for version, usual in _minorities(versions):
                _blame(blamed, version, usual)
    yield from blamed.hits(min_bytes)


def _comparable(skew: VersionSkew, libc: Mapping[str, str | None]) -> Iterator[list[Version]]:
    """The builds of one soname by the libc of the images that have them."""
    groups: dict[str | None, list[Version]] = {}
    for version in skew.versions:
        places: dict[str | None, list[Placement]] = {}
        for placement in version.placements:
            places.setdefault(libc[placement.image], []).append(placement)
        for family, placements in places.items():
            part = msgspec.structs.replace(version, placements=tuple(placements))
            groups.setdefault(family, []).append(part)
    return (versions for versions in groups.values() if len(versions) > 1)


def _minorities(versions: Iterable[Version]) -> Iterator[tuple[Version, Version]]:
    """Each build with the one that most images have, where no image has both."""
    usual, *others = sorted(versions, key=lambda version: -len(_images(version)))
    for version in others:
        if not _images(version) & _images(usual):
            yield version, usual


def _images(version: Version) -> set[str]:
    return {placement.image for placement in version.placements}


def _blame(blamed: Blamed, version: Version, usual: Version) -> None:
    seen = set()
    for placement in version.placements:
        if placement.chain_id not in seen:
            seen.add(placement.chain_id)
            name = package_name(version.package) or "no package"
            instead = package_name(usual.package) or "no package"
            known = version.profile_bytes
            size = version.mappable_bytes if known is None else known
            share = Share(
                placement.path, size, f"{name}, not {instead}", usual.placements, by_profile=known is not None
            )
            blamed.add(placement, share)
