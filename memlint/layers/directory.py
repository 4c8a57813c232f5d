"""A layer as overlay2 unpacked it → the same LayerIndex that its tar gives.

The kernel's documentation, filesystems/overlayfs.rst, "whiteouts and opaque directories": a whiteout is a character
device 0/0, an opaque directory carries the extended attribute trusted.overlay.opaque (user.overlay.opaque with the
mount option userxattr).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from memlint.errors import LayerError
from memlint.layers.builder import LayerBuilder
from memlint.layers.limits import MAX_DEPTH, Limits
from memlint.layers.stream import BLOCK
from memlint.model.digest import DiffID
from memlint.model.layer import LayerIndex

_HEAD = 4096
_OPAQUE_ATTRIBUTES = ("trusted.overlay.opaque", "user.overlay.opaque")


def index_directory(root: str, diff_id: DiffID, limits: Limits) -> LayerIndex:
    """Index the layer unpacked at `root`, trusting the store that it is the layer of `diff_id`.

    LayerError when something in it cannot be read.
    """
    builder = LayerBuilder()
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _Walk(builder, limits).below(descriptor, "")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LayerError(
            f"cannot be read where the store keeps it ({error.strerror})",
            "run as root, or save the image to a file first",
        ) from error
    return builder.build(diff_id)


class _Walk:
    """A walk that opens everything relative to its directory, so that no symlink is ever followed."""

    def __init__(self, builder: LayerBuilder, limits: Limits) -> None:
        self._builder, self._limits = builder, limits
        self._inodes: dict[tuple[int, int], str] = {}
        self._entries = 0
        self._buffer = bytearray(BLOCK)

    def below(self, directory: int, prefix: str) -> None:
        if prefix.count("/") > MAX_DEPTH:
            raise LayerError(
                f"nests directories more than {MAX_DEPTH} deep: {prefix[:100]}",
                "look at where the image comes from: no builder writes this",
            )
        with os.scandir(directory) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        self._entries += len(entries)
        if self._entries > self._limits.max_entries:
            raise LayerError(
                f"has more than {self._limits.max_entries} entries",
                "if the image can be trusted, raise --max-entries",
            )
        for entry in entries:
            path = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            if entry.is_dir(follow_symlinks=False):
                self._directory(directory, entry.name, path)
            else:
                self._leaf(directory, entry, path)

    def _directory(self, parent: int, name: str, path: str) -> None:
        self._builder.directory(path)
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            if is_opaque(descriptor):
                self._builder.opaque(path)
            self.below(descriptor, path + "/")
        finally:
            os.close(descriptor)

    def _leaf(self, directory: int, entry: os.DirEntry[str], path: str) -> None:
        status = entry.stat(follow_symlinks=False)
        builder = self._builder
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            builder.whiteout(path)
        elif stat.S_ISLNK(status.st_mode):
            target = os.readlink(entry.name, dir_fd=directory)
            builder.symlink(path, os.fsencode(target).decode("utf-8", "backslashreplace"))
        elif not stat.S_ISREG(status.st_mode):
            builder.other(path)
        elif status.st_nlink > 1 and (first := self._inodes.setdefault((status.st_dev, status.st_ino), path)) != path:
            builder.hard_link(path, first)
        else:
            self._file(directory, entry.name, path, status)

    def _file(self, directory: int, name: str, path: str, status: os.stat_result) -> None:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
        try:
            self._builder.file(path, status.st_size, lambda: status.st_mode, _Open(descriptor, self._buffer))
        finally:
            os.close(descriptor)


class _Open:
    """An open file, of whose start one page is read at once: most files need no more."""

    def __init__(self, descriptor: int, buffer: bytearray) -> None:
        self._descriptor, self._buffer = descriptor, buffer
        self._head = os.read(descriptor, _HEAD)

    def start(self, size: int, /) -> bytes:
        return self._head[:size]

    def contents(self) -> Iterator[memoryview]:
        yield memoryview(self._head)
        with memoryview(self._buffer) as buffer:
            while len(self._head) == _HEAD and (got := os.readv(self._descriptor, [buffer])):
                with buffer[:got] as chunk:
                    yield chunk


def is_opaque(directory: int | str) -> bool:
    """Whether a directory hides what lower layers put in it; by its path or its descriptor."""
    return any(_attribute(directory, key) == b"y" for key in _OPAQUE_ATTRIBUTES)


def _attribute(directory: int | str, key: str) -> bytes:
    try:
        return os.getxattr(directory, key)
    except OSError:
        return b""  # absent, or a file system without extended attributes
