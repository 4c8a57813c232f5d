"""Dockerfiles that begin with the same instructions, installs among them, on the same base."""

from __future__ import annotations

from collections import defaultdict, deque

from memlint import TYPE_CHECKING
from memlint.lint.bases import reference_of, text_of
from memlint.lint.chains import base_key
from memlint.lint.fleet import each_place, fleets, related, teller, where
from memlint.lint.proposal import shared_base
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.built import Built
    from memlint.lint.chains import Link
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location

Chain = tuple["Built", "tuple[bytes, ...]"]
"""An image, and the texts of its chain up to the first that does not say it all."""


def common_start(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per group of Dockerfiles that begin alike, at one of them."""
    for fleet in fleets(repository, all_files=all_files):
        chains: dict[str, list[Chain]] = defaultdict(list)
        for built in fleet:
            start = _start(built.content.links)
            if _last_install(start):
                chains[base_key(built)].append((built, tuple(link.text for link in start)))
        for group in chains.values():
            for alike, length in _alike(group, min_images):
                yield _hit(alike, length, repository)


def _start(links: Sequence[Link]) -> Sequence[Link]:
    return links[: next((number for number, link in enumerate(links) if link.own), len(links))]


def _alike(group: list[Chain], min_images: int) -> Iterator[tuple[list[Built], int]]:
    """The largest groups that begin alike up to an install, and how many instructions that are."""
    waiting = deque([(group, 0)])
    while waiting:
        alike, length = waiting.popleft()
        if len(alike) < min_images:
            continue
        following: dict[bytes, list[Chain]] = defaultdict(list)
        for chain in alike:
            if len(chain[1]) > length:
                following[chain[1][length]].append(chain)
        ends = all(len(more) < len(alike) for more in following.values())  # not all of them go on alike
        installs = _last_install(alike[0][0].content.links[:length]) if ends else 0
        if installs and len(apart := _apart(alike, installs)) >= min_images:
            yield apart, installs
        else:
            waiting += [(more, length + 1) for more in following.values()]


def _apart(alike: Sequence[Chain], length: int) -> list[Built]:
    """Those of the images that have the instructions in places of their own."""
    images = [built for built, _ in alike]
    several = len({built.path for built in images}) < len(images)
    return each_place(images, lambda built: _end(built, length)) if several else images


def _last_install(links: Sequence[Link]) -> int:
    """How many of the instructions there are up to the last that installs what processes map."""
    return max((number for number, link in enumerate(links, 1) if link.mapped), default=0)


def _hit(alike: list[Built], length: int, repository: Repository) -> Hit:
    paths = list(dict.fromkeys(built.path for built in alike))
    anchor, built = alike[0], alike.pop(teller(alike))
    links = built.content.links[:length]
    return Hit(
        location=built.at(links[-1].place),
        evidence={
            "base": text_of(built.base),
            "instructions": length,
            "first": links[0].span.line,
            "packages": ", ".join(sorted({name for link in links for name in link.mapped})),
            "count": len(alike) + 1,
            "where": where(_end(alike[0], length), len(alike)),
        },
        related=related((_end(other, length), "the same instructions") for other in alike),
        suggestion=shared_base(
            reference_of(built.base), [link.span for link in links], repository.lines(built.path), paths
        ),
        anchor=_end(anchor, length),
    )


def _end(built: Built, length: int) -> Location:
    """The last of so many instructions."""
    return built.at(built.content.links[length - 1].place)
