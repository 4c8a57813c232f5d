"""One file of another image, copied into several images above layers that differ."""

from __future__ import annotations

from collections import defaultdict
from posixpath import basename

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.bases import text_of
from memlint.lint.chains import base_key, digest
from memlint.lint.fleet import each_place, fleets, related, teller, where
from memlint.lint.paths import is_program, looks_binary
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location

_SCRIPTS = frozenset(["composer", "install-php-extensions", "docker-php-extension-installer", "wait-for-it"])
_BUILD_TOOLS = frozenset(["uv", "uvx", "pnpm", "yarn", "bun", "poetry", "hadolint", "buf", "protoc"])
"""Names of programs that are scripts, or that only a build runs."""


class Copied(msgspec.Struct, frozen=True, eq=False):
    """An image with a COPY of programs, and a digest of the chain that it lies on."""

    built: Built
    place: tuple[int, int, int, int]
    below: bytes

    @property
    def location(self) -> Location:
        """Where the COPY is."""
        return self.built.at(self.place)


def repeated_copies(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per program and base, at one of the images that copy it; equal chains down to the base are one."""
    for fleet in fleets(repository, all_files=all_files):
        groups: dict[tuple[str, ...], list[Copied]] = defaultdict(list)
        for built in fleet:
            for programs, origin, copied in _copies(built):
                key = (base_key(built), origin, *programs)
                groups[key].append(copied)
        for (_, _, *programs), copies in groups.items():
            group = each_place(copies, lambda copied: copied.location)
            if len(group) >= min_images and len({copied.below for copied in group}) > 1:
                yield _hit(programs, group)


def _copies(built: Built) -> Iterator[tuple[list[str], str, Copied]]:
    """Of each COPY of nothing but programs these, the image that they come of, and the rest."""
    below = b""
    for link in built.content.links:
        programs = sorted(source for source in link.copies if _is_mapped(source))
        if programs and len(programs) == len(link.copies):
            yield programs, link.origin, Copied(built, link.place, below)
        below = digest(below, link.text)


def _is_mapped(source: str) -> bool:
    name = basename(source)
    if name in _SCRIPTS or name in _BUILD_TOOLS or source.endswith("/") or "*" in source:
        return False
    if source.startswith(("http://", "https://")):
        return "." not in name and looks_binary(source)
    return is_program(source) or ("." not in name and source.count("/") <= 2 and looks_binary(source) and name != "")


def _hit(programs: Sequence[str], group: list[Copied]) -> Hit:
    anchor, first = group[0], group.pop(teller([copied.built for copied in group]))
    return Hit(
        location=first.location,
        evidence={
            "file": ", ".join(basename(program) for program in programs),
            "base": text_of(first.built.base),
            "count": len(group) + 1,
            "where": where(group[0].location, len(group)),
        },
        related=related((copied.location, "the same file") for copied in group),
        anchor=anchor.location,
    )
