"""Layers that were indexed, read a second time: what an index does not keep, of the few layers that are asked about."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import closing
from io import BufferedReader, RawIOBase

from memlint import TYPE_CHECKING
from memlint.layers.limits import Limits
from memlint.layers.stream import Promised, TarBlocks
from memlint.model.image import Blob, Layer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Extended = tuple[tuple[str, bytes], ...]
_BUFFER = 1 << 20
_XATTR = "SCHILY.xattr."
_OVERLAY = ("trusted.overlay.", "user.overlay.")


def members_of(layer: Layer, content: Blob, limits: Limits) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, str]]:
    """Each entry of a layer's tar and its path as indexes spell it; its bytes are at hand until the next is asked for.

    OSError, tarfile.TarError or LayerError where it cannot be read.
    """
    with closing(content.open()) as reader:
        promised = Promised(layer.descriptor.size, layer.descriptor.digest, layer.diff_id)
        with TarBlocks(reader, limits, promised, verify=False) as blocks:
            file = BufferedReader(_File(iter(blocks)), _BUFFER)
            with tarfile.open(fileobj=file, mode="r|", bufsize=_BUFFER) as archive:
                for member in archive:
                    path = clean(member.name)
                    yield archive, member, "" if path == "." else path


def clean(path: str) -> str:
    """A tar's path as indexes spell it."""
    return path.removeprefix("./").strip("/")


def extended_of(member: tarfile.TarInfo) -> Extended:
    """The extended attributes that a tar notes."""
    return tuple(
        sorted(
            (name.removeprefix(_XATTR), value.encode("utf-8", "surrogateescape"))
            for name, value in member.pax_headers.items()
            if name.startswith(_XATTR)
        )
    )


def extended_at(path: str) -> Extended:
    """The extended attributes of a file, without those that overlayfs keeps there for itself."""
    try:
        names = [name for name in os.listxattr(path, follow_symlinks=False) if not name.startswith(_OVERLAY)]
        return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(names))
    except OSError:
        return ()  # a file system without them


class _File(RawIOBase):
    """Blocks as a file that is read once."""

    def __init__(self, blocks: Iterator[memoryview]) -> None:
        self._blocks = blocks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._left:
            self._left = next(self._blocks, self._left)
        with memoryview(buffer) as target:
            size = min(len(target), len(self._left))
            target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
