"""Images of one repository that stand on different tags, digests or variants of one base."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.bases import is_built_here, slimmer, text_of, usual
from memlint.lint.fleet import fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images


def base_drift(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per image on another base of a repository than most; a full base beside a slim one is `full_base`'s.

    The tags of images that the repository builds itself are given when it is built.
    """
    for fleet in fleets(repository, all_files=all_files):
        groups: dict[str, list[Built]] = defaultdict(list)
        for built in fleet:
            if built.base.repository != "scratch" and not is_built_here(built.base, repository):
                groups[built.base.repository].append(built)
        for group in groups.values():
            if len(group) >= min_images:
                yield from _drifted(group)


def _drifted(group: list[Built]) -> Iterator[Hit]:
    majority = usual(group)
    common = majority[0].base
    paths = {built.path for built in majority}
    others = related((other.from_place, text_of(common)) for other in majority)
    for built in group:
        if built.path in paths or slimmer(built.base, common):
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
