"""Images of one repository that stand on different libc families."""

from __future__ import annotations

from collections import Counter

from memlint import TYPE_CHECKING
from memlint.lint.bases import text_of
from memlint.lint.fleet import each_place, fleets, related, teller, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images

_BARE = frozenset(["alpine", "debian", "ubuntu", "busybox", "fedora", "rockylinux", "almalinux", "amazonlinux"])
_STATIC = frozenset(["golang", "rust"])


def libc_families(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per fleet, at the first image of the rarer family, when so many images map a libc that is known."""
    for fleet in fleets(repository, all_files=all_files):
        known = [(built, libc) for built in fleet if (libc := _libc(built)) is not None]
        counts = Counter(libc for _, libc in known)
        if len(counts) < 2 or len(known) < min_images:
            continue
        (family, count), (rarer, few) = counts.most_common(2)
        many, rare = [
            each_place([built for built, libc in known if libc == each], lambda built: built.from_place)
            for each in (family, rarer)
        ]
        anchor, first = rare[0], rare.pop(teller(rare))
        others = ((built.from_place, f"{text_of(built.base)}: {rarer}") for built in rare)
        yield Hit(
            location=first.from_place,
            evidence={
                "libc": rarer,
                "base": text_of(first.base),
                "few": few,
                "usual": family,
                "count": count,
                "where": where(many[0].from_place, len(many)),
            },
            related=related([(many[0].from_place, f"{text_of(many[0].base)}: {family}"), *others]),
            anchor=anchor.from_place,
        )


def _libc(built: Built) -> str | None:
    """The libc that the image maps; None where its program may well be a static one on a bare distribution."""
    return None if built.base.repository in _BARE and _only_brings_a_program(built) else built.base.libc


def _only_brings_a_program(built: Built) -> bool:
    return not _STATIC.isdisjoint(built.content.foreign)
