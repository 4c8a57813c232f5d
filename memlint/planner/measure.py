"""What counts on a node, and how much: the weight of a file, and how likely an image runs there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from memlint.planner.grounds import Member
from memlint.planner.problem import any_of
from memlint.sharing.view import Visible

Weigh = Callable[[Member, str, Visible], int]
"""Bytes of page cache that one inode of a file holds for an image that has it at a path; 0 where it does not count."""


def mappable(_: Member, __: str, file: Visible) -> int:
    """Whatever can be mapped."""
    return file.file.mappable_bytes


def startup(member: Member, path: str, file: Visible) -> int:
    """What starting the image maps for certain."""
    return file.file.mappable_bytes if path in member.startup.paths else 0


class Basis(msgspec.Struct, frozen=True):
    """A way to weigh: its short name, the sentence that says what its figures are, and the weight of a file."""

    name: str
    text: str
    weigh: Weigh


BASES = {
    "mappable": Basis(
        "mappable",
        "potential, mappable: an upper bound, every page of the visible files that processes can map shared",
        mappable,
    ),
    "startup": Basis(
        "startup",
        "potential, startup: the pages of the files that starting the containers maps for certain",
        startup,
    ),
}


class Measure(msgspec.Struct, frozen=True, eq=False):
    """How a plan counts. `present` says by the number of an image how likely a node runs a container of it."""

    weigh: Weigh
    present: Sequence[float]

    def likely(self, images: Iterable[int]) -> float:
        """How likely a node runs one of these images at least."""
        return any_of(self.present[number] for number in images)


def presence(replicas: Iterable[int], nodes: int) -> tuple[float, ...]:
    """How likely a node runs an image: its containers lie on as many nodes as they can, whatever the others do."""
    return tuple(min(1.0, count / nodes) for count in replicas)
