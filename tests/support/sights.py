"""Sights of hosts that are not there: containers that run programs and hold pages of files in frames."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

import msgspec

from memlint.kernel.residency import Container, Process, Residency, Seen, Sight
from memlint.model.digest import ContentID
from memlint.model.layer import Elf
from memlint.model.measure import Held, Memory

NOTHING = Memory(rss_bytes=None, pss_bytes=None, uss_bytes=None, swap_bytes=None)


class Maps(msgspec.Struct, frozen=True):
    """A file that a process maps: page → frame. Equal `inode` is one file."""

    path: str
    content: ContentID
    inode: int
    frames: Mapping[int, int]
    size: int = 1 << 20
    held: Held = "lower"


class Runs(msgspec.Struct, frozen=True):
    """A process of a container; several of one `id` are in one. One that maps nothing was not looked into."""

    id: str
    image: str
    program: ContentID
    maps: tuple[Maps, ...]
    storage: str | None = "overlay2"


def sight(containers: Iterable[Runs]) -> Sight:
    """What a look at these would be."""
    found: dict[str, Container] = {}
    processes, residencies = [], []
    for pid, each in enumerate(containers, 1):
        others = found[each.id].pids if each.id in found else ()
        found[each.id] = Container(each.id, each.id, each.image, "docker", each.storage, "/", (*others, pid))
        processes.append(Process(pid, "x", each.id, each.program, NOTHING, walked=bool(each.maps)))
        residencies += [_residency(pid, mapped) for mapped in each.maps]
    return Sight(tuple(found.values()), tuple(processes), tuple(residencies), (), len(residencies), 1.0)


def _residency(pid: int, mapped: Maps) -> Residency:
    file = Seen(
        path=mapped.path,
        real=None,
        held=mapped.held,
        device=1,
        inode=mapped.inode,
        owner="",
        size=mapped.size,
        content=mapped.content,
        kind="library",
        mappable_bytes=mapped.size,
        elf=Elf((64, "<", 62)),
    )
    return Residency(pid, file, array("Q", mapped.frames), array("Q", mapped.frames.values()))
