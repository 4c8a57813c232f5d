"""The same packages, installed on the same base by several Dockerfiles among other things."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.bases import reference_of, text_of
from memlint.lint.chains import SYSTEM, base_key, first_install, links_of
from memlint.lint.contents import packages_of
from memlint.lint.fleet import fleets, related, where
from memlint.lint.natives import is_mapped
from memlint.lint.proposal import base_with
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.chains import FirstInstall, Link
    from memlint.lint.contents import Listed
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

_PACKAGES_NAMED = 5


class Found(msgspec.Struct, frozen=True, eq=False):
    """A package of an image; `layer` is equal for installs that one layer may serve, as far as texts tell."""

    listed: Listed
    layer: tuple[str, ...]


class Installed(msgspec.Struct, frozen=True, eq=False):
    """What an image installs: `packages` that processes map, by name and version, and its first install."""

    built: Built
    packages: dict[str, Found]
    first: FirstInstall | None


def repeated_installs(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per group of Dockerfiles, at the first; equal installs as a whole are the business of other checks."""
    for fleet in fleets(repository, all_files=all_files):
        groups: dict[str, list[Installed]] = defaultdict(list)
        for built in fleet:
            installed = _installed(built, repository)
            if installed.packages:
                groups[base_key(built)].append(installed)
        for group in groups.values():
            yield from _hits(group, min_images)


def _installed(built: Built, repository: Repository) -> Installed:
    """The packages in the image: those of other stages come by COPY, which is done for those of languages alone."""
    packages: dict[str, Found] = {}
    links = links_of(built, repository)
    chain = _chain(links)
    for listed in packages_of(built, repository):
        layer = chain.get(listed.place.span.line if listed.place.span else 0)
        here = listed.ecosystem == "pypi" or (listed.ecosystem in SYSTEM and layer is not None)
        if here and is_mapped(listed.ecosystem, listed.name) and not listed.conditional and not listed.index:
            own = (built.path,) if layer is None else layer
            packages.setdefault(_name(listed), Found(listed, (*own, listed.source.path if listed.source else "")))
    return Installed(built, packages, first_install(links))


def _chain(links: Sequence[Link]) -> dict[int, tuple[str, ...]]:
    """Line → the texts of the image's chain up to the instruction there."""
    lines: dict[int, tuple[str, ...]] = {}
    texts: tuple[str, ...] = ()
    for link in links:
        texts = (*texts, link.text)
        lines.update(dict.fromkeys(range(link.instruction.span.line, link.instruction.span.end_line + 1), texts))
    return lines


def _name(listed: Listed) -> str:
    separator = "==" if listed.ecosystem == "pypi" else "="
    return listed.name + (f"{separator}{listed.version}" if listed.version else "")


def _hits(group: list[Installed], min_images: int) -> Iterator[Hit]:
    while len(group) >= min_images:
        common, members = _best(group)
        if not common or len(members) < min_images:
            return
        yield _hit(common, members)
        group = [installed for installed in group if installed not in members]


def _best(group: Sequence[Installed]) -> tuple[list[str], list[Installed]]:
    """The packages that two differing images have in common, and all that install them, where that is most."""
    best: tuple[list[str], list[Installed]] = ([], [])
    worth = 0
    for one, other in combinations(group, 2):
        common = {name for name in one.packages.keys() & other.packages.keys() if _apart(name, one, other)}
        if not common:
            continue
        members = [installed for installed in group if common <= installed.packages.keys()]
        if (value := len(common) * (len(members) - 1)) > worth:
            worth, best = value, (sorted(common), members)
    return best


def _apart(name: str, one: Installed, other: Installed) -> bool:
    """Whether a package is in two layers, and no other check says how the two come to be one."""
    if one.packages[name].layer == other.packages[name].layer:
        return False
    a, b = one.first, other.first
    if a is None or b is None or a.group.text != b.group.text or name not in a.group.names.split(", "):
        return True
    return a.texts != b.texts and not (a.movable and b.movable)


def _hit(common: Sequence[str], members: Sequence[Installed]) -> Hit:
    first, *others = members
    places = [other.packages[common[0]].listed.where for other in others]
    more = len(common) - _PACKAGES_NAMED
    return Hit(
        location=first.packages[common[0]].listed.place,
        evidence={
            "packages": ", ".join(common[:_PACKAGES_NAMED]) + (f" and {more} more" if more > 0 else ""),
            "number": len(common),
            "base": text_of(first.built.base),
            "count": len(members),
            "where": where(places),
        },
        related=related((place, "the same packages on the same base") for place in places),
        suggestion=base_with(
            reference_of(first.built.base), _by_manager(common, first), [installed.built.path for installed in members]
        ),
    )


def _by_manager(common: Sequence[str], installed: Installed) -> dict[str, list[str]]:
    managers: dict[str, list[str]] = defaultdict(list)
    for name in common:
        managers[installed.packages[name].listed.manager].append(name)
    return managers
