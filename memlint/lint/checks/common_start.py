"""Dockerfiles that begin with the same instructions, installs among them, on the same base."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.bases import reference_of, text_of
from memlint.lint.chains import base_key, links_of
from memlint.lint.fleet import fleets, related, where
from memlint.lint.natives import mapped_in
from memlint.lint.proposal import shared_base
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.chains import Link
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

Chain = tuple["Built", "tuple[Link, ...]"]


def common_start(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per group of Dockerfiles that begin alike, at the first of them."""
    for fleet in fleets(repository, all_files=all_files):
        chains: dict[str, list[Chain]] = defaultdict(list)
        for built in fleet:
            chains[base_key(built)].append((built, links_of(built, repository)))
        for group in chains.values():
            for alike, length in _alike(group, 0, min_images):
                yield _hit(alike, length)


def _alike(group: Sequence[Chain], length: int, min_images: int) -> Iterator[tuple[list[Chain], int]]:
    """The largest groups that begin alike up to an install, and how many instructions that are."""
    if len(group) < min_images:
        return
    found = _last_install(group[0][1][:length])
    following: dict[str, list[Chain]] = defaultdict(list)
    for chain in group:
        links = chain[1]
        if len(links) > length and not links[length].own:
            following[links[length].text].append(chain)
    if found and not any(len(more) == len(group) for more in following.values()):
        yield list(group), found
        return
    for more in following.values():
        yield from _alike(more, length + 1, min_images)


def _last_install(links: Sequence[Link]) -> int:
    """How many of the instructions there are up to the last that installs what processes map."""
    return max((number for number, link in enumerate(links, 1) if mapped_in(link.step.installs)), default=0)


def _hit(alike: list[Chain], length: int) -> Hit:
    (built, links), *others = alike
    first, last = links[0].instruction.span, links[length - 1].instruction.span
    places = [other.at(theirs[length - 1].instruction.span) for other, theirs in others]
    packages = sorted({name for link in links[:length] for name in mapped_in(link.step.installs)})
    return Hit(
        location=built.at(last),
        evidence={
            "base": text_of(built.base),
            "instructions": length,
            "first": first.line,
            "packages": ", ".join(packages),
            "count": len(alike),
            "where": where(places),
        },
        related=related((place, "the same instructions") for place in places),
        suggestion=shared_base(
            reference_of(built.base),
            [link.instruction for link in links[:length]],
            built.dockerfile,
            [each.path for each, _ in alike],
        ),
    )
