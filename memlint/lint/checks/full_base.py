"""A full base beside the slim one of the same version that other images stand on."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.lint.bases import slimmer, text_of
from memlint.lint.fleet import fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository

_NEED_FULL = frozenset(
    [
        "ar",
        "c++",
        "cc",
        "cmake",
        "curl",
        "g++",
        "gcc",
        "git",
        "hg",
        "javac",
        "ld",
        "make",
        "svn",
        "unzip",
        "wget",
        "jar",
    ]
)
"""Programs of full bases that slim ones lack."""


def full_base(repository: Repository, *, min_sharing: int, all_files: bool) -> Iterator[Hit]:
    """One hit per image on a full base, where so many others have the slim one and no step needs more."""
    for fleet in fleets(repository, all_files=all_files):
        for built in fleet:
            slim = [other for other in fleet if slimmer(built.base, other.base)]
            if len(slim) < min_sharing or _needs_full(built):
                continue
            places = [other.at(other.from_span) for other in slim]
            yield Hit(
                location=built.at(built.from_span),
                evidence={
                    "base": text_of(built.base),
                    "slim": text_of(slim[0].base),
                    "count": len(slim),
                    "where": where(places),
                },
                related=related((place, text_of(other.base)) for place, other in zip(places, slim, strict=True)),
            )


def _needs_full(built: Built) -> bool:
    """Whether a step of the image runs what only the full base has; what is installed on top does not count."""
    installed = {package.name for step in built.steps for install in step.installs for package in install.packages}
    names = {placed.command.name for step in built.steps for placed in step.commands or ()}
    return bool((names & _NEED_FULL) - installed)
