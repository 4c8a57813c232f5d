"""What was seen of one host, before anything is counted: the kernel's own words as values."""

from __future__ import annotations

from array import array

import msgspec

from memlint.model.digest import ContentID
from memlint.model.layer import Elf
from memlint.model.measure import Held, Memory, Unseen


class Seen(msgspec.Struct, frozen=True, eq=False):
    """A file that processes map, told apart by what holds its pages. `real` is its path on the host, if it has one.

    Two of equal `device` and `inode` may still be two page caches (btrfs), so `owner` is a container's ID where the
    store gives each container its own, and "" elsewhere. `below` is the content of the file that it hides in the lower
    layers of its overlay, None where it hides none. `cached_pages` were in the page cache before it was read; None
    where nobody tells, and where its content was known before.
    """

    path: str
    real: str | None
    held: Held
    device: int
    inode: int
    owner: str
    size: int
    content: ContentID
    kind: str
    mappable_bytes: int
    elf: Elf | None
    below: ContentID | None = None
    cached_pages: int | None = None


class Residency(msgspec.Struct, frozen=True, eq=False):
    """A file as one process maps it: the numbers of its resident file pages, and the frame of each, in step.

    `pages` and `frames` are of type code "Q". Private copies (written pages) are not among them.
    """

    pid: int
    file: Seen
    pages: array[int]
    frames: array[int]


class Container(msgspec.Struct, frozen=True):
    """A container that runs. `program` of a process is the content of its executable."""

    id: str
    name: str
    image: str
    runtime: str
    storage: str | None
    cgroup: str
    pids: tuple[int, ...]


class Process(msgspec.Struct, frozen=True):
    """A process that was looked at; `container` is the ID of its container, None outside of all.

    `walked` says whether its pages were looked at, and `blind` whether then none of its files could be read. Processes
    that use one address space are one here.
    """

    pid: int
    command: str
    container: str | None
    program: ContentID | None
    memory: Memory
    walked: bool = True
    blind: bool = False

    @property
    def seen(self) -> bool:
        """Whether its file pages are known, as far as its `unseen` do not say otherwise."""
        return self.walked and not self.blind


class Sight(msgspec.Struct, frozen=True, eq=False):
    """All that was seen."""

    containers: tuple[Container, ...]
    processes: tuple[Process, ...]
    residencies: tuple[Residency, ...]
    unseen: tuple[Unseen, ...]
    mappings: int
    sampled: float
