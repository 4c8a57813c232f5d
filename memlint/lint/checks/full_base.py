"""A full base beside the smaller one of the same version that other images stand on."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.aliases import canonical
from memlint.lint.bases import smaller, text_of, version_of, would_do
from memlint.lint.fleet import each_place, fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Count

_CONDITIONS = {
    "slim": "nothing here needs the full one",
    "distroless": "nothing here needs a shell or more of the distribution",
    "alpine": "all of it runs on musl",
}
"""How a smaller build differs, the least first, and what has to hold for an image that is to stand on it."""


class Smaller(msgspec.Struct, frozen=True, eq=False):
    """The images on the smaller builds of a base, and how these differ from it."""

    kind: str
    images: Sequence[Built]


def full_base(repository: Repository, *, min_sharing: Count, all_files: bool) -> Iterator[Hit]:
    """One hit per image on a full base, where so many others have a smaller one and no step needs more.

    One with another libc only where at least as many images stand on it: then the repository shares that.
    """
    for fleet in fleets(repository, all_files=all_files):
        versions: dict[tuple[str, ...], dict[BaseImage, list[Built]]] = defaultdict(lambda: defaultdict(list))
        for built in fleet:
            versions[version_of(built.base)][canonical(built.base)].append(built)
        for bases in versions.values():
            for base, images in bases.items():
                found = [
                    each
                    for each in _smaller(base, bases)
                    if len(each.images) >= max(min_sharing, len(images) if each.kind == "alpine" else 1)
                ]
                for built in each_place(images, lambda built: built.from_place) if found else ():
                    chosen = next((each for each in found if would_do(built, each.kind)), None)
                    if chosen is not None:
                        yield _hit(built, chosen)


def _smaller(base: BaseImage, bases: Mapping[BaseImage, Sequence[Built]]) -> Iterator[Smaller]:
    for kind in _CONDITIONS:
        images = [built for each in bases if smaller(base, each) == kind for built in bases[each]]
        yield Smaller(kind, sorted(images, key=lambda built: (built.path, built.target)))


def _hit(built: Built, chosen: Smaller) -> Hit:
    places = each_place(chosen.images, lambda other: other.from_place)
    return Hit(
        location=built.from_place,
        evidence={
            "base": text_of(built.base),
            "slim": text_of(places[0].base),
            "condition": _CONDITIONS[chosen.kind],
            "count": len(chosen.images),
            "where": where(places[0].from_place, len(places)),
        },
        related=related((other.from_place, text_of(other.base)) for other in places),
    )
