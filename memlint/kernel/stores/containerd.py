"""containerd's stores: its root's `io.containerd.snapshotter.v1.NAME` that hold snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.kernel.containers.containerd import roots, roots_at
from memlint.kernel.host import entries
from memlint.kernel.stores.interface import UNREADABLE, Asked, Place
from memlint.kernel.stores.reaching import distinct, filled, readable

_PREFIX = "io.containerd.snapshotter.v1."
_MODELS = {
    "overlayfs": "containerd-overlayfs",
    "stargz": "containerd-overlayfs",
    "soci": "containerd-overlayfs",
    "erofs": "containerd-overlayfs",  # a snapshot is a layer of a chain; sharing by content needs inode_share
    "native": "vfs",
    "btrfs": "btrfs",
    "zfs": "zfs",
    "devmapper": "devicemapper",
}
"""Snapshotters → storage models: stargz and erofs mount a layer's files as an overlay's lower, one for each chain."""
_EMBEDDED = "/containerd/daemon"
"""Where dockerd has a containerd of its own: that is Docker's store."""


def places(asked: Asked) -> Iterator[Place]:
    """One for each snapshotter in use."""
    around = asked.around
    own = (root for mount in asked.mounts("containerd", "docker") for root in roots_at(mount))
    for root, reached in distinct((*roots(around.daemons, around.host), *own), around.host):
        if root.endswith(_EMBEDDED):
            continue
        if readable(reached):
            yield from snapshotters("containerd", root, reached)
        else:
            yield Place("containerd", UNREADABLE, root, reached, None)


def snapshotters(engine: str, root: str, reached: str) -> Iterator[Place]:
    """The snapshotters below a root that hold anything."""
    for name in entries(reached):
        if name.startswith(_PREFIX) and _used(f"{reached}/{name}"):
            driver = name.removeprefix(_PREFIX)
            yield Place(engine, driver, root, reached, _MODELS.get(driver))


def _used(directory: str) -> bool:
    """All keep a database from their start on, and directories that fill; devmapper has the database alone."""
    below = [name for name in ("snapshots", "active", "view") if name in entries(directory)]
    if not below:
        return filled(directory)
    return any(filled(f"{directory}/{name}") for name in below)
