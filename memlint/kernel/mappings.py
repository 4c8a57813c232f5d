"""The mappings of a process, from /proc/PID/maps (proc_pid_maps(5))."""

from __future__ import annotations

import re
from typing import NamedTuple

DELETED = " (deleted)"
_NAMELESS = (
    *("/memfd:", "/dev/zero", "/SYSV", "/anon_hugepage", "/secretmem", "/dmabuf:"),
    *("/[aio]", "/[kvm-gmem]", "/[guest_memfd]", "/drm mm object", "/i915"),
)
"""What the kernel calls memory of no file. Files may be called so, too, but lie on a mount."""
_LINE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) (\S+ \d+ +/.*)$", re.MULTILINE)


class Area(NamedTuple):
    """A mapping: addresses from `start` up to `end`, and the byte of the file that is mapped at `start`.

    `file` is the rest of the line: device, inode and path, which is the same for all mappings of a file. `written` is
    whether what is written there is shared with others.
    """

    start: int
    end: int
    offset: int
    file: bytes
    written: bool = False


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
        Area(int(start, 16), int(end, 16), int(offset, 16), file, mode[1::2] == b"ws")
        for start, end, mode, offset, file in _LINE.findall(text)
    ]


def name(file: bytes) -> MappedName:
    """The file that an area names: `08:01 1234   /path`."""
    device, inode, path = file.split(None, 2)
    major, _, minor = device.partition(b":")
    return MappedName((int(major, 16), int(minor, 16)), int(inode), _text(path))


def may_be_nameless(path: str) -> bool:
    """Whether memory of no file may have this name in maps: shared memory, a memfd, a driver's."""
    return path.startswith(_NAMELESS)


def _text(path: bytes) -> str:
    """Newlines alone are escaped, by octal digits; a backslash stands for itself."""
    return path.replace(b"\\012", b"\n").decode("utf-8", "surrogateescape")
