"""The mounts of a mount namespace, from /proc/PID/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_LINE = re.compile(rb"(\d+) \d+ (\d+):(\d+) (\S+) (\S+) .*? - (\S+) (\S*) (\S*)")


class Mount(NamedTuple):
    """A mount. `root` is the directory of the file system that is seen at `point`; `options` are the file system's.

    Only their octal escapes tell a comma that belongs to a value, so they are as mountinfo has them.
    """

    number: int
    device: tuple[int, int]
    root: str
    point: str
    type: str
    options: bytes
    source: str = ""


def mounts(text: bytes) -> dict[int, Mount]:
    """The mounts by their ID; lines that are none are passed over."""
    found = (_mount(line) for line in text.split(b"\n"))
    return {mount.number: mount for mount in found if mount is not None}


def top_mount(found: Iterable[Mount], point: str) -> Mount | None:
    """What is seen at a mount point: the last mount there hides the others."""
    return next((mount for mount in reversed(list(found)) if mount.point == point), None)


def inside(mount: Mount, path: str) -> str | None:
    """The path from the top of the mount's file system, without leading slash; None where it is not below the mount."""
    point = mount.point.rstrip("/")
    if path != point and not path.startswith(point + "/"):
        return None
    return (mount.root.rstrip("/") + path[len(point) :]).strip("/")


def mount_of(descriptor: int) -> int | None:
    """The ID of the mount through which a file was opened."""
    with open(f"/proc/self/fdinfo/{descriptor}", "rb") as file:
        found = re.search(rb"^mnt_id:\s*(\d+)$", file.read(), re.MULTILINE)
    return int(found[1]) if found else None


def _mount(line: bytes) -> Mount | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    number, major, minor, root, point, kind, source, options = found.groups()
    device = int(major), int(minor)
    return Mount(int(number), device, unescaped(root), unescaped(point), unescaped(kind), options, unescaped(source))


def unescaped(field: bytes) -> str:
    """Spaces, newlines, backslashes and the like are written as three octal digits."""
    whole = re.sub(rb"\\([0-7]{3})", lambda found: bytes((int(found[1], 8) & 0xFF,)), field)
    return whole.decode("utf-8", "surrogateescape")
