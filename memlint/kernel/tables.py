"""The mounts that a process's mappings are of, with the points at which maps names them."""

from __future__ import annotations

import os
from typing import NamedTuple

from memlint.kernel.entering import mountinfo_of
from memlint.kernel.mounts import Mount, mounts, top_mount
from memlint.kernel.process import ProcessDirectory


class Table(NamedTuple):
    """Mounts by their ID. `root` is the process's root; `whole` is whether none is missing for being outside of it."""

    mounts: dict[int, Mount]
    root: str
    whole: bool

    def top(self) -> Mount | None:
        """What is mounted at the root of the namespace; of the process where more cannot be seen."""
        return top_mount(self.mounts.values(), "/" if self.whole else self.root)


def table_of(process: ProcessDirectory) -> Table:
    """The mounts of a process's namespace. OSError where mountinfo may not be read.

    A process's mountinfo has what lies below its root, and from there; maps names files from the root of the
    namespace. So one in a chroot tells only a part, unless this user may enter the namespace.
    """
    own = mounts(process.read("mountinfo"))
    try:
        root = process.link("root")
    except OSError:
        return Table(own, "/", whole=False)
    if root == "/":
        return Table(own, root, whole=True)
    try:
        return Table(_entered(process), root, whole=True)
    except OSError:  # a TimeoutError is one, too
        return Table({number: _below(root, mount) for number, mount in own.items()}, root, whole=False)


def _entered(process: ProcessDirectory) -> dict[int, Mount]:
    namespace = process.open("ns/mnt")
    try:
        return mounts(mountinfo_of(namespace))
    finally:
        os.close(namespace)


def _below(root: str, mount: Mount) -> Mount:
    return mount._replace(point=root + mount.point.rstrip("/"))
