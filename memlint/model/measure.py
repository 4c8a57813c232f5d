"""What the kernel of one host was seen to hold. The JSON of `memlint measure` is this; units are bytes.

A figure that could not be seen is None, and `unseen` says why: never a zero.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from memlint.model.digest import ContentID
from memlint.model.layer import Package

SCHEMA = "memlint.measure/1"

Held = Literal["lower", "upper", "plain", "deleted"]
"""Where the pages of a mapped file come from: a lower layer of an overlay, its upper directory (copied up, or written
there), a file of no overlay that memlint can look into, or one that has no name any more."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of the kernel's `smaps_rollup` (proc_pid_smaps(5)) over processes.

    USS is what is private to a process, clean and dirty. `pss_file_bytes`, `pss_anon_bytes` and `pss_shmem_bytes` are
    the parts of PSS; kernels before 5.10 do not part it, and they are None there. `hugetlb_bytes` are pages of
    hugetlbfs and MAP_HUGETLB, shared and private, which the kernel counts in none of the others.
    """

    rss_bytes: int | None
    pss_bytes: int | None
    uss_bytes: int | None
    swap_bytes: int | None
    pss_file_bytes: int | None = None
    pss_anon_bytes: int | None = None
    pss_shmem_bytes: int | None = None
    hugetlb_bytes: int | None = None


class MeasuredProcess(Memory, frozen=True, kw_only=True):
    """A process. `container` is the ID of its container; `file_pages_bytes` counts each frame that it maps once."""

    pid: int
    command: str
    container: str | None
    file_pages_bytes: int | None


class MeasuredContainer(Memory, frozen=True, kw_only=True):
    """A container. `file_pages_bytes` counts each frame of file pages that its processes map once.

    `duplicate_bytes` are those of them whose content another frame among what was looked at holds, too: what it would
    share in the best case. It is no share of `totals`: both sides of a duplicate count theirs.
    """

    id: str
    name: str
    image: str
    runtime: str
    storage: str | None
    cgroup: str
    pids: tuple[int, ...]
    file_pages_bytes: int | None
    duplicate_bytes: int | None


class MeasuredImage(Memory, frozen=True, kw_only=True):
    """An image by all its containers: each frame that any of them maps counts once."""

    image: str
    containers: int
    file_pages_bytes: int | None
    duplicate_bytes: int | None


class MeasuredTotals(msgspec.Struct, frozen=True):
    """File pages = distinct + duplicate, over everything that was looked at (with `--all`
    or `--pid` processes in no container, too); efficiency = distinct / file pages, 1 for none.

    A duplicate is a page of a content that more than one frame holds: each frame but one.
    """

    file_pages_bytes: int
    distinct_bytes: int
    duplicate_bytes: int
    efficiency: float


class MeasuredPlacement(msgspec.Struct, frozen=True):
    """A file of a container, as its processes map it. `real` is the file on the host that holds the pages, if known."""

    container: str
    name: str
    image: str
    path: str
    held: Held
    real: str | None


class MeasuredDuplicate(msgspec.Struct, frozen=True):
    """One content with pages in several frames.

    `copies` are the inodes that hold pages of it, `frames` all their frames, and `duplicate_bytes` those of them
    beyond the first of each page. `cause` is what is seen of why; None where only the images can tell.
    """

    content: ContentID
    size: int
    mappable_bytes: int
    copies: int
    frames: int
    duplicate_bytes: int
    kind: str
    soname: str | None
    package: Package | None
    cause: str | None
    placements: tuple[MeasuredPlacement, ...]


class CopiedUp(msgspec.Struct, frozen=True):
    """A file that a container maps from its own upper directory; `content` is also that of the file below, or not."""

    container: str
    name: str
    image: str
    path: str
    file_pages_bytes: int
    same_content_below: bool


class CachedFile(msgspec.Struct, frozen=True):
    """Pages of a file that the page cache holds, mapped or not."""

    real: str
    content: ContentID
    cached_bytes: int
    mapped_bytes: int


class Store(msgspec.Struct, frozen=True):
    """A container engine's store on this host.

    `storage` names the storage model (`memlint.model.vocabulary.STORAGE`), None where memlint knows none. `shared_by`
    is what files must have in common to share pages there. `options` are what bears on sharing: metacopy, redirect_dir,
    pull options. `warnings` are sentences for people.
    """

    engine: str
    driver: str
    root: str
    backing: str
    storage: str | None
    shared_by: str | None
    options: dict[str, str] = {}
    warnings: tuple[str, ...] = ()


class Kernel(msgspec.Struct, frozen=True):
    """The kernel that was asked, and what it lets this user see. `frames` is whether pagemap shows frame numbers."""

    release: str
    machine: str
    page_bytes: int
    frames: bool


class Unseen(msgspec.Struct, frozen=True):
    """What could not be seen, why, and what to do about it ("" where nothing can be done).

    `totals` is whether frames may be missing from the totals for it: a gate cannot be passed then. `containers` is
    whether containers may be missing of which nothing else tells.
    """

    what: str
    reason: str
    hint: str = ""
    totals: bool = True
    containers: bool = False


class Cost(msgspec.Struct, frozen=True):
    """What measuring took itself. `sampled` is the part of the processes looked into page by page; 1 is all."""

    wall_seconds: float
    cpu_seconds: float
    pages: int
    mappings: int
    sampled: float


class Measurement(msgspec.Struct, frozen=True):
    """One look at a host. `totals` is None where no frame could be seen, be it that no process was.

    `narrowed` is whether only some containers, cgroups or processes were asked for: nothing is said of the others.
    """

    schema: str
    basis: str
    kernel: Kernel
    stores: tuple[Store, ...]
    totals: MeasuredTotals | None
    containers: tuple[MeasuredContainer, ...]
    processes: tuple[MeasuredProcess, ...]
    duplicates: tuple[MeasuredDuplicate, ...]
    copied_up: tuple[CopiedUp, ...]
    cached: tuple[CachedFile, ...]
    unseen: tuple[Unseen, ...]
    cost: Cost
    images: tuple[MeasuredImage, ...] = ()
    narrowed: bool = False


def is_whole(measurement: Measurement) -> bool:
    """Whether the totals miss no frame that is known to be missing: nothing sampled, nothing unseen that counts."""
    sampled = measurement.cost.sampled < 1
    return measurement.totals is not None and not sampled and not any(each.totals for each in measurement.unseen)
