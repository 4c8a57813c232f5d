"""The files of a fleet's images, by content and inode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

import msgspec

from memlint.model.digest import ChainID, ContentID
from memlint.model.image import Image
from memlint.model.layer import Package
from memlint.model.report import Placement
from memlint.sharing.resident import Programs
from memlint.sharing.startup import Startup
from memlint.sharing.storage import Key, StorageModel
from memlint.sharing.view import Visible


class Member(msgspec.Struct, frozen=True):
    """An image as part of a fleet. `programs` are those that a profile expects its containers to run."""

    image: Image
    replicas: int
    files: tuple[tuple[str, Visible], ...]
    startup: Startup
    programs: Programs = frozenset()


Place = tuple[ChainID, str]
"""What tells inodes of one image apart."""
Inodes = Mapping[Key, Sequence["Copy"]]
"""Those of one content, each by the files that are it."""


class Copy(msgspec.Struct, frozen=True):
    """One file of one image, in so many of its containers: several with one key are one inode."""

    member: int
    path: str
    file: Visible
    startup: bool
    containers: int

    @property
    def place(self) -> Place:
        return (self.file.chain_id, self.file.file.link)


def by_content(members: Sequence[Member], storage: StorageModel) -> dict[ContentID, dict[Key, list[Copy]]]:
    """Content → inode → the files that are it."""
    contents: dict[ContentID, dict[Key, list[Copy]]] = {}
    container = 0
    for number, member in enumerate(members):
        times, containers = (member.replicas, 1) if storage.per_container else (1, member.replicas)
        copies = [Copy(number, path, file, path in member.startup.paths, containers) for path, file in member.files]
        for _ in range(times):
            for copy in copies:
                keys = contents.setdefault(copy.file.file.content, {})
                keys.setdefault(storage.key(copy.file, container), []).append(copy)
            container += 1
    return contents


def placements_of(
    members: Sequence[Member], copies: Sequence[Copy], causes: Sequence[str | None] = ()
) -> tuple[Placement, ...]:
    """Each file of each image once, however many containers the image has."""
    unique: dict[tuple[int, str, int, ChainID, bool], str | None] = {}
    for copy, cause in zip_longest(copies, causes):
        unique.setdefault((copy.member, copy.path, copy.file.layer, copy.file.chain_id, copy.startup), cause)
    return tuple(
        Placement(members[member].image.ref, f"/{path}", layer, chain_id, startup, cause)
        for (member, path, layer, chain_id, startup), cause in unique.items()
    )


def package_of(copies: Iterable[Copy]) -> Package | None:
    """The first package that any of these files is of."""
    return next((copy.file.package for copy in copies if copy.file.package), None)
