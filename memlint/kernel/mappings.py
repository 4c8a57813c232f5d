"""The mappings of a process, from /proc/PID/maps (proc_pid_maps(5))."""

from __future__ import annotations

import re
from typing import NamedTuple

DELETED = " (deleted)"
_NAMELESS = (
    *(b"/memfd:", b"/dev/zero", b"/SYSV", b"/anon_hugepage", b"/secretmem", b"/dmabuf:"),
    *(b"/[aio]", b"/[kvm-gmem]", b"/[guest_memfd]", b"/drm mm object", b"/i915"),
)
"""Memory of no file that maps shows under a file's name."""
_LINE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) (\S+ \d+ +/.*)$", re.MULTILINE)


class Area(NamedTuple):
    """A mapping: addresses from `start` up to `end`, and the byte of the file that is mapped at `start`.

    `file` is the rest of the line: device, inode and path, which is the same for all mappings of a file.
    """

    start: int
    end: int
    offset: int
    file: bytes


class MappedName(NamedTuple):
    """What maps says of a mapped file. `device` and `inode` are no evidence of what holds its pages.

    `path` is as the process's mount namespace has it; it may end in " (deleted)".
    """

    device: tuple[int, int]
    inode: int
    path: str


def areas(text: bytes) -> list[Area]:
    """The mappings that have a path, in the order of their addresses."""
    return [
        Area(int(start, 16), int(end, 16), int(offset, 16), file) for start, end, offset, file in _LINE.findall(text)
    ]


def name(file: bytes) -> MappedName | None:
    """The file that an area names: `08:01 1234   /path`; None where it names memory of no file."""
    device, inode, path = file.split(None, 2)
    if path.startswith(_NAMELESS):
        return None
    major, _, minor = device.partition(b":")
    return MappedName((int(major, 16), int(minor, 16)), int(inode), _text(path))


def _text(path: bytes) -> str:
    """Newlines alone are escaped, by octal digits; a backslash stands for itself."""
    return path.replace(b"\\012", b"\n").decode("utf-8", "surrogateescape")
