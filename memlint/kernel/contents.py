"""What files hold: each read once, and never more than was allowed."""

from __future__ import annotations

import os
from collections.abc import Callable

from memlint.layers.file import Described, describe

_BUFFER = 1 << 20
_TIMES = 8


class UnreadError(Exception):
    """A content that is not known; the text says why. It never leaves this room."""


class Contents:
    """The contents of open files, remembered by what tells a changed file from one that is the same.

    Files of more than `most` bytes are not read, nor of one owner's files more than so many times that: sparse files
    cost their owner nothing. `check` may raise to end the reading of one.
    """

    def __init__(self, most: int, check: Callable[[], None]) -> None:
        self._most, self._check = most, check
        self._known: dict[tuple[int, int, int, int], Described] = {}
        self._buffers: list[bytearray] = []
        self._read: dict[str, int] = {}

    def of(self, descriptor: int, owner: str = "") -> Described:
        """The content of an open regular file; UnreadError where it is too large or changes meanwhile."""
        before = _version(descriptor)
        if before in self._known:
            return self._known[before]
        size = before[-1]
        if size > self._most:
            raise UnreadError(f"it has {size} bytes, more than are read of a file")
        self._read[owner] = self._read.get(owner, 0) + size
        if self._read[owner] > self._most * _TIMES:
            raise UnreadError("its container's files have more bytes together than are read of one")
        try:
            buffer = self._buffers.pop() if self._buffers else bytearray(_BUFFER)  # one that never ends keeps its own
            found = describe(descriptor, size, buffer, self._check)
            self._buffers.append(buffer)
        except OSError as error:
            raise UnreadError(f"it cannot be read ({error.strerror})") from error
        if _version(descriptor) != before:
            raise UnreadError("it was written to meanwhile")
        self._known[before] = found
        return found


def _version(descriptor: int) -> tuple[int, int, int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
