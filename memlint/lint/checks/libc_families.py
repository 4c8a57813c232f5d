"""Images of one repository that stand on different libc families."""

from __future__ import annotations

from collections import Counter

from memlint import TYPE_CHECKING
from memlint.lint.bases import text_of
from memlint.lint.fleet import fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

_BARE = frozenset(["alpine", "debian", "ubuntu", "busybox", "fedora", "rockylinux", "almalinux", "amazonlinux"])
_STATIC = frozenset(["golang", "rust"])


def libc_families(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per fleet, at the first image of the rarer family, when so many images map a libc that is known."""
    for fleet in fleets(repository, all_files=all_files):
        known = [(built, libc) for built in fleet if (libc := _libc(built)) is not None]
        counts = Counter(libc for _, libc in known)
        if len(counts) < 2 or len(known) < min_images:
            continue
        (family, count), (rarer, few) = counts.most_common(2)
        many, rare = [[built for built, libc in known if libc == each] for each in (family, rarer)]
        places = [built.at(built.from_span) for built in many]
        others = [(built.at(built.from_span), f"{text_of(built.base)}: {rarer}") for built in rare[1:]]
        yield Hit(
            location=rare[0].at(rare[0].from_span),
            evidence={
                "libc": rarer,
                "base": text_of(rare[0].base),
                "few": few,
                "usual": family,
                "count": count,
                "where": where(places),
            },
            related=related([(places[0], f"{text_of(many[0].base)}: {family}"), *others]),
        )


def _libc(built: Built) -> str | None:
    """The libc that the image maps; None where its program may well be a static one on a bare distribution."""
    return None if built.base.repository in _BARE and _only_brings_a_program(built) else built.base.libc


def _only_brings_a_program(built: Built) -> bool:
    foreign = {stage.base.repository for stage in built.sources if stage.base is not None and stage not in built.stages}
    return not foreign.isdisjoint(_STATIC)
