"""One package in different versions in the images of one repository."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.chains import SYSTEM
from memlint.lint.contents import packages_of
from memlint.lint.fleet import fleets, natural, related, where
from memlint.lint.natives import is_mapped
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memlint.lint.contents import Listed
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository
    from memlint.model.finding import Location

Versions = dict[str, dict[str, "Listed"]]
"""Version → Dockerfile → what it lists."""


def pin_skew(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per install command with pins that most of the others do not have."""
    for fleet in fleets(repository, all_files=all_files):
        skewed: dict[tuple[str, Location], list[tuple[Listed, list[Listed]]]] = defaultdict(list)
        for versions in _pins(fleet, repository).values():
            for listed, usual in _minorities(versions, min_images):
                skewed[listed.place.path, listed.place].append((listed, usual))
        for _, pins in sorted(skewed.items(), key=lambda item: (item[0][0], _line(item[0][1]))):
            yield _hit(pins)


def _pins(fleet: Sequence[Built], repository: Repository) -> Mapping[tuple[str, ...], Versions]:
    """The pinned packages that processes map; those of a distribution only among images on one base."""
    pins: dict[tuple[str, ...], Versions] = defaultdict(dict)
    for built in fleet:
        for listed in packages_of(built, repository):
            if listed.version is not None and is_mapped(listed.ecosystem, listed.name):
                system = listed.ecosystem in SYSTEM
                base = (built.base.repository, built.base.tag or "") if system else ()
                key = (listed.ecosystem, listed.name, *base)
                pins[key].setdefault(listed.version, {}).setdefault(built.path, listed)
    return pins


def _minorities(versions: Versions, min_images: int) -> Iterator[tuple[Listed, list[Listed]]]:
    """What lists another version than most do, with those that list the usual one."""
    if len(versions) < 2 or len({path for files in versions.values() for path in files}) < min_images:
        return
    common = max(versions, key=lambda version: (len(versions[version]), natural(version)))
    usual = versions[common]
    for version, files in versions.items():
        for path, listed in files.items():
            if version != common and path not in usual:
                yield listed, list(usual.values())


def _hit(pins: Sequence[tuple[Listed, list[Listed]]]) -> Hit:
    listed, usual = pins[0]
    places = [other.where for other in usual]
    more = len(pins) - 1
    return Hit(
        location=listed.place,
        evidence={
            "package": listed.name,
            "version": listed.version or "",
            "usual": usual[0].version or "",
            "where": where(places),
            "number": len(pins),
            "more": f", and {more} more differ" if more > 1 else ", and one more differs" if more else "",
        },
        related=related(
            pair
            for each, others in pins
            for pair in (
                (each.where, f"{each.name} {each.version}"),
                (others[0].where, f"{others[0].name} {others[0].version}"),
            )
        ),
    )


def _line(location: Location) -> int:
    return location.span.line if location.span else 0
