"""The same install above other instructions than in the other Dockerfiles: the chains part below it."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.chains import base_key, first_install, links_of
from memlint.lint.fleet import fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.chains import FirstInstall, Link
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

Found = tuple["Built", "FirstInstall"]


def install_order(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per Dockerfile that has a COPY, ADD, ENV, ARG or WORKDIR of its own above an install that others have."""
    for fleet in fleets(repository, all_files=all_files):
        alike: dict[tuple[str, str], list[Found]] = defaultdict(list)
        for built in fleet:
            first = first_install(links_of(built, repository))
            if first is not None and first.movable:
                alike[base_key(built), first.group.text].append((built, first))
        for group in alike.values():
            if len(group) >= min_images:
                yield from _hits(group)


def _hits(group: Sequence[Found]) -> Iterator[Hit]:
    usual = max(_by_texts(group), key=lambda same: (len(same), -len(same[0][1].before)))
    places = [built.at(first.span) for built, first in usual]
    for built, first in group:
        extra = _extra(first, usual[0][1])
        if extra is None:
            continue
        yield Hit(
            location=built.at(first.span),
            evidence={
                "packages": first.group.names,
                "above": f"{extra.instruction.keyword} in line {extra.instruction.span.line}",
                "where": where(places),
            },
            related=related(
                [
                    (built.at(extra.instruction.span), "what the others do not have above the install"),
                    *((place, "the same packages") for place in places),
                ]
            ),
        )


def _by_texts(group: Sequence[Found]) -> list[list[Found]]:
    same: dict[tuple[str, ...], list[Found]] = defaultdict(list)
    for built, first in group:
        same[first.texts].append((built, first))
    return list(same.values())


def _extra(first: FirstInstall, usual: FirstInstall) -> Link | None:
    """The first instruction before the install that the others do not have there."""
    have = set(usual.texts)
    return next((link for link in first.before if link.text not in have), None)
