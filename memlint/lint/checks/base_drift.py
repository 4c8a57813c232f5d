"""Images of one repository that stand on different tags, digests or variants of one base."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.dockerfile.aliases import canonical, key_of, may_be_one
from memlint.lint.bases import smaller, text_of, usual, would_do
from memlint.lint.fleet import each_place, fleets, related, where
from memlint.lint.targets import is_built_here
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images


def base_drift(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per image on another base of a repository than most; a full base beside a small one is `full_base`'s.

    The tags of images that the repository builds itself are given when it is built.
    """
    for fleet in fleets(repository, all_files=all_files):
        groups: dict[str, list[Built]] = defaultdict(list)
        for built in fleet:
            if built.base.repository != "scratch" and not is_built_here(built.base, repository):
                groups[canonical(built.base).repository].append(built)
        for group in groups.values():
            if len(group) >= min_images:
                yield from _drifted(group)


def _drifted(group: list[Built]) -> Iterator[Hit]:
    majority = each_place(usual(group), lambda built: built.from_place)
    common = majority[0].base
    others = related((other.from_place, text_of(common)) for other in majority)
    for built in each_place(group, lambda built: built.from_place):
        if key_of(built.base) == key_of(common) or may_be_one(built.base, common) or _is_full(built, common):
            continue
        yield Hit(
            location=built.from_place,
            evidence={
                "base": text_of(built.base),
                "usual": text_of(common),
                "repository": built.base.repository,
                "count": len(majority),
                "where": where(majority[0].from_place, len(majority)),
            },
            related=others,
        )


def _is_full(built: Built, common: BaseImage) -> bool:
    """Whether the usual base would do, as a smaller build of the image's own: then another rule says so."""
    kind = smaller(built.base, common)
    return would_do(built, kind) if kind == "alpine" else kind is not None
