"""A full base beside the slim one of the same version that other images stand on."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.bases import slimmer, text_of, version_of
from memlint.lint.fleet import fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Count


def full_base(repository: Repository, *, min_sharing: Count, all_files: bool) -> Iterator[Hit]:
    """One hit per image on a full base, where so many others have the slim one and no step needs more."""
    for fleet in fleets(repository, all_files=all_files):
        versions: dict[tuple[str, ...], dict[BaseImage, list[Built]]] = defaultdict(lambda: defaultdict(list))
        for built in fleet:
            versions[version_of(built.base)][built.base].append(built)
        for bases in versions.values():
            for base, images in bases.items():
                small = [other for each in bases if slimmer(base, each) for other in bases[each]]
                if small and len(small) >= min_sharing:
                    yield from _hits(images, sorted(small, key=lambda other: other.path))


def _hits(images: Sequence[Built], small: Sequence[Built]) -> Iterator[Hit]:
    others = related((other.from_place, text_of(other.base)) for other in small)
    for built in images:
        if not built.content.full:
            yield Hit(
                location=built.from_place,
                evidence={
                    "base": text_of(built.base),
                    "slim": text_of(small[0].base),
                    "count": len(small),
                    "where": where(small[0].from_place, len(small)),
                },
                related=others,
            )
