"""Layers that were indexed, read a second time: what an index does not keep, of the few layers that are asked about."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import closing

from memlint.layers.limits import Limits
from memlint.layers.stream import Promised, TarBlocks
from memlint.model.image import Blob, Layer

Extended = tuple[tuple[str, bytes], ...]
_XATTR = "SCHILY.xattr."
_OVERLAY = ("trusted.overlay.", "user.overlay.")


def members_of(layer: Layer, content: Blob, limits: Limits) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, str]]:
    """Each entry of a layer's tar and its path as indexes spell it; its bytes are at hand until the next is asked for.

    OSError, tarfile.TarError or LayerError where it cannot be read.
    """
    with closing(content.open()) as reader:
        promised = Promised(layer.descriptor.size, layer.descriptor.digest, layer.diff_id)
        with TarBlocks(reader, limits, promised, verify=False) as blocks:
            file = _File(iter(blocks))
            with tarfile.open(fileobj=file, mode="r|", bufsize=1 << 20) as archive:  # type: ignore[call-overload]
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


class _File:
    """Blocks as a file that is read once."""

    def __init__(self, blocks: Iterator[memoryview]) -> None:
        self._blocks = blocks
        self._left = b""

    def read(self, size: int) -> bytes:
        parts, missing = [], size
        while missing:
            if not self._left:
                self._left = bytes(next(self._blocks, b""))
                if not self._left:
                    break
            parts.append(self._left[:missing])
            self._left = self._left[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)
