"""Who may do what with the files of a layer: read again, and only for the few layers that are asked about."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import closing

import msgspec

from memlint.errors import LayerError
from memlint.layers.builder import WHITEOUT
from memlint.layers.limits import Limits
from memlint.layers.stream import Promised, TarBlocks
from memlint.model.image import Directory, Layer

_XATTR = "SCHILY.xattr."
_OVERLAY = ("trusted.overlay.", "user.overlay.")


class Attributes(msgspec.Struct, frozen=True):
    """Mode (permission bits), owner and extended attributes of an entry."""

    mode: int
    uid: int
    gid: int
    extended: tuple[tuple[str, bytes], ...] = ()


def attributes_of(layer: Layer, limits: Limits) -> dict[str, Attributes] | None:
    """The attributes of each entry by its path, symlinks left out; None where the layer's bytes are not at hand.

    LayerError when they cannot be read.
    """
    if layer.content is None:
        return None
    try:
        if isinstance(layer.content, Directory):
            return dict(_walked(layer.content.path, ""))
        with closing(layer.content.open()) as reader:
            promised = Promised(layer.descriptor.size, layer.descriptor.digest, layer.diff_id)
            with TarBlocks(reader, limits, promised, verify=False) as blocks:
                return dict(_members(_File(iter(blocks))))
    except (OSError, tarfile.TarError) as error:
        raise LayerError(f"cannot be read ({error})", "check the file and its permissions") from error


def _walked(root: str, prefix: str) -> Iterator[tuple[str, Attributes]]:
    with os.scandir(os.path.join(root, prefix)) as entries:
        for entry in entries:
            path = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
            status = entry.stat(follow_symlinks=False)
            whiteout = stat.S_ISCHR(status.st_mode) and status.st_rdev == 0
            if whiteout or stat.S_ISLNK(status.st_mode):
                continue
            yield path, Attributes(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, _extended(entry.path))
            if entry.is_dir(follow_symlinks=False):
                yield from _walked(root, f"{prefix}{entry.name}/")


def _extended(path: str) -> tuple[tuple[str, bytes], ...]:
    try:
        names = [name for name in os.listxattr(path, follow_symlinks=False) if not name.startswith(_OVERLAY)]
        return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(names))
    except OSError:
        return ()  # a file system without them


def _members(file: _File) -> Iterator[tuple[str, Attributes]]:
    found: dict[str, Attributes] = {}
    with tarfile.open(fileobj=file, mode="r|", bufsize=1 << 20) as archive:  # type: ignore[call-overload]
        for member in archive:
            path = member.name.removeprefix("./").strip("/")
            if path in ("", ".") or member.issym() or path.rpartition("/")[2].startswith(WHITEOUT):
                continue
            extended = tuple(
                sorted(
                    (name.removeprefix(_XATTR), value.encode("utf-8", "surrogateescape"))
                    for name, value in member.pax_headers.items()
                    if name.startswith(_XATTR)
                )
            )
            attributes = Attributes(member.mode & 0o7777, member.uid, member.gid, extended)
            if member.islnk():
                attributes = found.get(member.linkname.removeprefix("./").strip("/"), attributes)
            found[path] = attributes
            yield path, attributes


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
