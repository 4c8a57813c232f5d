"""One file of another image, copied into several images above layers that differ."""

from __future__ import annotations

from collections import defaultdict
from posixpath import basename

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.bases import text_of
from memlint.lint.chains import base_key, links_of
from memlint.lint.fleet import fleets, related, where
from memlint.lint.image import copy_of
from memlint.lint.paths import is_program, looks_binary
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.chains import Link
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

_SCRIPTS = frozenset(["composer", "install-php-extensions", "docker-php-extension-installer", "wait-for-it"])
_BUILD_TOOLS = frozenset(["uv", "uvx", "pnpm", "yarn", "bun", "poetry", "hadolint", "buf", "protoc"])
"""Names of programs that are scripts, or that only a build runs."""


class Copied(msgspec.Struct, frozen=True, eq=False):
    """A COPY of programs, and the texts of the chain that it lies on."""

    built: Built
    link: Link
    below: tuple[str, ...]
    programs: tuple[str, ...]


def repeated_copies(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per program and base, at the first of the images that copy it; equal chains down to the base are one."""
    for fleet in fleets(repository, all_files=all_files):
        groups: dict[tuple[str, ...], list[Copied]] = defaultdict(list)
        for built in fleet:
            for copied in _copies(built, repository):
                key = (base_key(built), copied.link.text.rpartition(" ")[2], *copied.programs)
                groups[key].append(copied)
        for group in groups.values():
            if len(group) >= min_images and len({copied.below for copied in group}) > 1:
                yield _hit(group)


def _copies(built: Built, repository: Repository) -> Iterator[Copied]:
    links = links_of(built, repository)
    facts = repository.facts(built.dockerfile)
    for at, link in enumerate(links):
        copy = None if link.own else copy_of(link.step, facts)
        if copy is None:
            continue
        programs = tuple(sorted(source for source in copy.sources if _is_mapped(source)))
        if programs and len(programs) == len(copy.sources):
            yield Copied(built, link, tuple(each.text for each in links[:at]), programs)


def _is_mapped(source: str) -> bool:
    name = basename(source)
    if name in _SCRIPTS or name in _BUILD_TOOLS or source.endswith("/") or "*" in source:
        return False
    if source.startswith(("http://", "https://")):
        return "." not in name and looks_binary(source)
    return is_program(source) or ("." not in name and source.count("/") <= 2 and looks_binary(source) and name != "")


def _hit(group: Sequence[Copied]) -> Hit:
    first, *others = group
    places = [copied.built.at(copied.link.instruction.span) for copied in others]
    return Hit(
        location=first.built.at(first.link.instruction.span),
        evidence={
            "file": ", ".join(basename(program) for program in first.programs),
            "base": text_of(first.built.base),
            "count": len(group),
            "where": where(places),
        },
        related=related((place, "the same file") for place in places),
    )
