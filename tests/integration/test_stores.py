"""What stores share by the kernel's word, and what memlint's storage models say of them: the same, file by file."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest
from support import frames

from memlint.api import load
from memlint.model.digest import ContentID
from memlint.sharing.storage import Key
from memlint.sharing.view import merge_views

from .stores.container import Fleet
from .stores.images import PROGRAM
from .stores.smaps import of_file, smaps

pytestmark = pytest.mark.integration

SHARE_BY_CHAIN = ("overlay2", "containerd-overlayfs", "containers-storage-overlay")
"""The others share nothing."""

SAME_CHAIN = ({"store/a", "store/c", "store/d"}, {"store/b"}, {"store/e"})
"""Images that have the program from the same chain."""


def sharers(fleet: Fleet, name: str) -> set[str]:
    """The containers that hold the program in the same frames as this one, as the table says."""
    if fleet.storage not in SHARE_BY_CHAIN:
        return {name}
    image = next(container.image for container in fleet.containers if container.name == name)
    (images,) = [images for images in SAME_CHAIN if image in images]
    return {container.name for container in fleet.containers if container.image in images}


def test_who_shares_the_program(store: Fleet) -> None:
    held = {each.name: frames.by_path(each.pids())[f"/{PROGRAM}"] for each in store.containers}
    found = {name: {other for other in held if held[other] & held[name]} for name in held}
    assert found == {name: sharers(store, name) for name in held}


def test_the_share_of_the_program_in_pss(store: Fleet) -> None:
    """Its clean pages over the number of containers: six, two or one."""
    for container in store.containers:
        sizes = of_file(container.pid, f"/{PROGRAM}")
        # Private copies are Anonymous; Private_Dirty has pages of new files, too, until they are written back.
        clean = sizes["Rss"] - sizes["Anonymous"]
        assert clean > sizes["Anonymous"] > 0
        assert round(clean / (sizes["Pss"] - sizes["Anonymous"])) == len(sharers(store, container.name))


def test_pss_is_what_frames_say(store: Fleet) -> None:
    """Of every mapping of a file, to the kB: nobody else maps these frames, and none of them was missed."""
    expected = frames.proportional(store.pids())
    found = {
        pid: {each.addresses: each.sizes["Pss"] for each in smaps(pid) if each.addresses in expected[pid]}
        for pid in store.pids()
    }
    assert found == expected


class Mapped(NamedTuple):
    """An ELF file of a container: what memlint knows of it, and the frames it has."""

    container: str
    path: str
    content: ContentID
    key: Key
    frames: set[int]


def test_equal_keys_are_common_frames(store: Fleet, small: Path) -> None:
    mapped = list(_mapped(store, small))
    pairs = [(one, other) for one, other in combinations(mapped, 2) if one.content == other.content]
    wrong = [
        (one[:2], other[:2])
        for one, other in pairs
        if (one.key == other.key) != (not one.frames.isdisjoint(other.frames))
    ]
    assert wrong == []
    # the two names of one inode share on every store; what the same program has at two paths of one image never does
    assert {one.key == other.key for one, other in pairs} == {True, False}


def test_equal_frames_are_equal_contents(store: Fleet, small: Path) -> None:
    for one, other in combinations(_mapped(store, small), 2):
        assert one.content == other.content or one.frames.isdisjoint(other.frames), (one[:2], other[:2])


def _mapped(fleet: Fleet, archive: Path) -> list[Mapped]:
    loaded = load([f"docker-archive:{archive}"], None, storage=fleet.storage)
    views = merge_views(loaded.images, loaded.indexes)
    seen = {f"store/{image.name}": dict(views[image.layers[-1].chain_id].files()) for image in loaded.images}
    found = []
    for number, container in enumerate(fleet.containers):
        for path, held in frames.by_path(container.pids()).items():
            if _is_elf(container.pid, path):
                file = seen[container.image][path.lstrip("/")]
                found.append(Mapped(container.name, path, file.file.content, loaded.storage.key(file, number), held))
    return found


def _is_elf(pid: int, path: str) -> bool:
    with open(f"/proc/{pid}/root{path}", "rb") as file:
        return file.read(4) == b"\x7fELF"
