"""What files hold: each read once, never more than was allowed, and without a trace in the page cache."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from memlint.kernel.cached import cached
from memlint.kernel.reading import chunks
from memlint.layers.file import Described, describe

_BUFFER = 1 << 20
_TIMES = 8
_KEPT = 1 << 15
"""Contents that are remembered from look to look: a node with hundreds of containers maps a third as many files."""
_SETTLED = 2_000_000_000
"""Nanoseconds after which the clock of any file system has gone on: what is written then gets another time."""


class UnreadError(Exception):
    """A content that is not known; the text says why. It never leaves this room."""


class Content(NamedTuple):
    """A file's content, and how many pages of it were cached before memlint read it; None where nobody tells."""

    described: Described
    cached_pages: int | None


class Version(NamedTuple):
    """What tells a changed file from one that is the same."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class Remembered:
    """Contents that outlive a look, for who looks again and again: those used last, of files that had settled."""

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._known: OrderedDict[Version, Described] = OrderedDict()

    def get(self, version: Version) -> Described | None:
        found = self._known.get(version)
        if found is not None:
            self._known.move_to_end(version)
        return found

    def add(self, version: Version, found: Described) -> None:
        if time.time_ns() - version.changed < _SETTLED:
            return
        self._known[version] = found
        if len(self._known) > self._most:
            self._known.popitem(last=False)


class Contents:
    """The contents of open files in one look.

    Files of more than `most` bytes are not read, nor of one owner's files more than so many times that: sparse files
    cost their owner nothing. `check` may raise to end the reading of one.
    """

    def __init__(self, most: int, check: Callable[[], None], remembered: Remembered | None = None) -> None:
        self._most, self._check = most, check
        self._remembered = Remembered(0) if remembered is None else remembered
        self._known: dict[Version, Content] = {}
        self._buffers: list[bytearray] = []
        self._read: dict[str, int] = {}

    def of(self, descriptor: int, owner: str = "") -> Content:
        """The content of an open regular file; UnreadError where it is too large or changes meanwhile."""
        version = _version(descriptor)
        if version not in self._known:
            old = self._remembered.get(version)
            self._known[version] = self._new(descriptor, version, owner) if old is None else Content(old, None)
        return self._known[version]

    def _new(self, descriptor: int, version: Version, owner: str) -> Content:
        if version.size > self._most:
            raise UnreadError(f"it has {version.size} bytes, more than are read of a file")
        self._read[owner] = self._read.get(owner, 0) + version.size
        if self._read[owner] > self._most * _TIMES:
            raise UnreadError("its container's files have more bytes together than are read of one")
        try:
            before = cached(descriptor)
            buffer = self._buffers.pop() if self._buffers else bytearray(_BUFFER)  # one that never ends keeps its own
            found = describe(descriptor, version.size, chunks(descriptor, buffer, before.absent, self._check))
            self._buffers.append(buffer)
        except OSError as error:
            raise UnreadError(f"it cannot be read ({error.strerror})") from error
        if _version(descriptor)[:4] != version[:4]:
            raise UnreadError("it was written to meanwhile")
        self._remembered.add(version, found)
        return Content(found, before.pages)


def _version(descriptor: int) -> Version:
    status = os.fstat(descriptor)
    return Version(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
