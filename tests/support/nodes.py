"""Measurements of made-up nodes."""

from __future__ import annotations

from memlint.model.digest import ContentID
from memlint.model.layer import Package
from memlint.model.measure import (
    SCHEMA,
    Cost,
    Kernel,
    MeasuredContainer,
    MeasuredDuplicate,
    MeasuredPlacement,
    MeasuredTotals,
    Measurement,
    Store,
    Unseen,
)

CRYPTO, NODE = ContentID("blake3:" + "1" * 64), ContentID("blake3:" + "2" * 64)
OVERLAY2 = Store("docker", "overlay2", "/var/lib/docker", "ext4", "overlay2", "layer chain", {"metacopy": "off"})
VFS = Store("docker", "vfs", "/var/lib/docker", "ext4", "vfs", "container")
KERNEL = Kernel("6.1.0-28", "x86_64", 4096, frames=True)


def measurement(
    *,
    containers: int = 2,
    totals: tuple[int, int] | None = (10_000_000, 6_000_000),
    stores: tuple[Store, ...] = (OVERLAY2,),
    kernel: Kernel = KERNEL,
    duplicates: tuple[MeasuredDuplicate, ...] = (),
    unseen: tuple[Unseen, ...] = (),
    sampled: float = 1.0,
    narrowed: bool = False,
) -> Measurement:
    """A node's measurement; `totals` are its file pages and the distinct ones, in bytes."""
    return Measurement(
        schema=SCHEMA,
        basis="measured",
        kernel=kernel,
        stores=stores,
        totals=_totals(*totals) if totals else None,
        containers=tuple(_container(number) for number in range(containers)),
        processes=(),
        duplicates=duplicates,
        copied_up=(),
        cached=(),
        unseen=unseen,
        cost=Cost(0.5, 0.4, 1000, 100, sampled),
        narrowed=narrowed,
    )


def duplicate(content: ContentID, path: str, size: int, *, package: Package | None = None) -> MeasuredDuplicate:
    """A content that two containers map from two inodes."""
    places = tuple(MeasuredPlacement(name, name, name, path, "lower", None) for name in ("web", "api"))
    frames = size // 4096 * 2
    return MeasuredDuplicate(content, size, size, 2, frames, size, "library", None, package, None, places)


def _totals(pages: int, distinct: int) -> MeasuredTotals:
    return MeasuredTotals(pages, distinct, pages - distinct, distinct / pages)


def _container(number: int) -> MeasuredContainer:
    return MeasuredContainer(
        id=str(number) * 64,
        name=f"c{number}",
        image="debian:12",
        runtime="docker",
        storage="overlay2",
        cgroup="/",
        pids=(100 + number,),
        file_pages_bytes=4096,
        duplicate_bytes=0,
        rss_bytes=8192,
        pss_bytes=6000,
        uss_bytes=4096,
        swap_bytes=0,
    )
