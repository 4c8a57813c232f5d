"""What counts on a node, and how much: the weight of a file, and how likely an image runs there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import msgspec

from memlint.model.digest import ContentID, DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.profile import PROFILE_PAGE
from memlint.model.units import plural
from memlint.planner.grounds import Member
from memlint.planner.problem import any_of
from memlint.sharing.resident import Known, expected, programs_of
from memlint.sharing.startup import startup_set
from memlint.sharing.view import EMPTY, Visible, merge_views

Weigh = Callable[[Member, str, Visible], int]
"""Bytes of page cache that one inode of a file holds for an image that has it at a path; 0 where it does not count."""


def mappable(_: Member, __: str, file: Visible) -> int:
    """Whatever can be mapped."""
    return file.file.mappable_bytes


def startup(member: Member, path: str, file: Visible) -> int:
    """What starting the image maps for certain."""
    return file.file.mappable_bytes if path in member.startup.paths else 0


class Basis(msgspec.Struct, frozen=True):
    """A way to weigh: its short name, the sentence that says what its figures are, and the weight of a file.

    `known` is the profile that it stands on, if it does; `notes` are what it does not know.
    """

    name: str
    text: str
    weigh: Weigh
    known: Known | None = None
    notes: tuple[str, ...] = ()


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


PROFILE = "profile"


def profile_basis(known: Known, images: Sequence[Image], indexes: Mapping[DiffID, LayerIndex]) -> Basis:
    """The pages that a profile expects of the programs that each image runs; the images are those of the plan."""
    views = merge_views(images, indexes)
    programs = []
    for image in images:
        view = views[image.layers[-1].chain_id] if image.layers else EMPTY
        programs.append(programs_of(view, startup_set(view, image.process), known))

    @cache
    def resident(member: Member) -> Mapping[str, int]:
        """Path → bytes; of several paths with one content, what starts maps its own, or the first."""
        paths: dict[ContentID, str] = {}
        for path, file in member.files.items():
            if file.file.content not in paths or path in member.startup.paths:
                paths[file.file.content] = path
        users = dict.fromkeys(programs[member.number], 1)
        pages = ((path, known.pages(content, users)) for content, path in paths.items())
        return {path: round(PROFILE_PAGE * expected(absent)) for path, absent in pages}

    return Basis(
        PROFILE,
        f"expected, by profile: resident pages, as {plural(known.profile.recordings, 'recording')} of running"
        " containers saw them, of each file as many as any of the images keeps",
        lambda member, path, _: resident(member).get(path, 0),
        known,
        tuple(
            f"{image.name}: the profile has not seen run what it runs, so that nothing of it is weighed"
            for image, its in zip(images, programs, strict=True)
            if not its
        ),
    )


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
