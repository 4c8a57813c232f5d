"""Images of one repository that stand on different releases of one distribution."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.bases import by_age, text_of
from memlint.lint.fleet import each_place, fleets, related, teller, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images


def release_drift(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per rarer release; builds of one base are `base_drift`'s, and images without a libc share none."""
    for fleet in fleets(repository, all_files=all_files):
        groups: dict[tuple[str, str], list[Built]] = defaultdict(list)
        for built in fleet:
            base = built.base
            if base.family and base.release and base.libc and base.variant is not None:
                groups[base.family, base.variant].append(built)
        for (family, _), group in groups.items():
            if len(group) >= min_images:
                yield from _drifted(group, family)


def _drifted(group: list[Built], family: str) -> Iterator[Hit]:
    releases: dict[str, list[Built]] = defaultdict(list)
    for built in group:
        releases[built.base.release or ""].append(built)
    common = max(releases, key=lambda release: (len(releases[release]), by_age(release)))
    usual = each_place(releases[common], lambda built: built.from_place)
    bases = {built.base.repository for built in usual}
    for release, members in releases.items():
        rare = each_place(
            [built for built in members if built.base.repository not in bases], lambda built: built.from_place
        )
        if release == common or not rare:
            continue
        anchor, first = rare[0], rare.pop(teller(rare))
        yield Hit(
            location=first.from_place,
            evidence={
                "base": text_of(first.base),
                "release": release,
                "family": family,
                "images": len(rare) + 1,
                "usual": common,
                "count": len(usual),
                "where": where(usual[0].from_place, len(usual)),
            },
            related=related((built.from_place, text_of(built.base)) for built in (*usual, *rare)),
            anchor=anchor.from_place,
        )
