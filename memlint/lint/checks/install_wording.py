"""Installs that differ in order, grouping or options alone, on the same parent."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.chains import base_key, first_install, links_of
from memlint.lint.fleet import fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.chains import Group
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

Found = tuple["Built", "Group"]


def install_wording(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per Dockerfile that words an install otherwise than most others do on the same chain."""
    for fleet in fleets(repository, all_files=all_files):
        alike: dict[tuple[str, ...], list[Found]] = defaultdict(list)
        for built in fleet:
            first = first_install(links_of(built, repository))
            if first is not None and not first.own:
                key = (base_key(built), *first.texts, first.group.text)
                alike[key].append((built, first.group))
        for found in alike.values():
            if len(found) >= min_images:
                yield from _hits(found)


def _hits(found: Sequence[Found]) -> Iterator[Hit]:
    words: dict[str, list[Found]] = defaultdict(list)
    for each in found:
        words["\n".join(link.text for link in each[1].links)].append(each)
    usual = max(words.values(), key=len)
    places = [built.at(group.links[0].instruction.span) for built, group in usual]
    for text, members in words.items():
        if members is usual:
            continue
        for built, group in members:
            yield Hit(
                location=built.at(group.links[0].instruction.span),
                evidence={
                    "packages": group.names,
                    "difference": _difference(text, usual[0][1]),
                    "where": where(places),
                },
                related=related((place, "the same packages") for place in places),
                suggestion="\n".join(
                    f"{link.instruction.keyword} {link.instruction.value}" for link in usual[0][1].links
                ),
            )


def _difference(text: str, usual: Group) -> str:
    other = "\n".join(link.text for link in usual.links)
    if text.split() == other.split():
        return "blanks"
    return "order or options" if text.count("\nRUN ") == other.count("\nRUN ") else "grouping"
