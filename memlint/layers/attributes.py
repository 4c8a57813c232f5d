"""Who may do what with the files of a layer: read again, and only for the few layers that are asked about."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator

import msgspec

from memlint.errors import LayerError
from memlint.layers.again import Extended, clean, extended_at, extended_of, members_of
from memlint.layers.builder import WHITEOUT
from memlint.layers.limits import Limits
from memlint.model.image import Blob, Directory, Layer


class Attributes(msgspec.Struct, frozen=True):
    """Mode (permission bits), owner and extended attributes of an entry."""

    mode: int
    uid: int
    gid: int
    extended: Extended = ()


def attributes_of(layer: Layer, limits: Limits) -> dict[str, Attributes] | None:
    """The attributes of each entry by its path, symlinks left out; None where the layer's bytes are not at hand.

    LayerError when they cannot be read.
    """
    if layer.content is None:
        return None
    try:
        if isinstance(layer.content, Directory):
            return dict(_walked(layer.content.path, ""))
        return dict(_members(layer, layer.content, limits))
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
            mode = stat.S_IMODE(status.st_mode)
            yield path, Attributes(mode, status.st_uid, status.st_gid, extended_at(entry.path))
            if entry.is_dir(follow_symlinks=False):
                yield from _walked(root, f"{prefix}{entry.name}/")


def _members(layer: Layer, content: Blob, limits: Limits) -> Iterator[tuple[str, Attributes]]:
    found: dict[str, Attributes] = {}
    for _, member, path in members_of(layer, content, limits):
        if not path or member.issym() or path.rpartition("/")[2].startswith(WHITEOUT):
            continue
        attributes = Attributes(member.mode & 0o7777, member.uid, member.gid, extended_of(member))
        if member.islnk():
            attributes = found.get(clean(member.linkname), attributes)
        found[path] = attributes
        yield path, attributes
