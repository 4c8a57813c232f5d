"""Whether two layers unpack to the same files: a digest over all entries of one, read again where that is the question.

What differs between two builds of one root file system and means nothing is no part of it: times, and files that hold
times, random numbers or what a run left behind.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping

import blake3

from memlint.errors import LayerError
from memlint.layers.again import Extended, clean, extended_at, extended_of, members_of
from memlint.layers.builder import OPAQUE, WHITEOUT
from memlint.layers.directory import is_opaque
from memlint.layers.limits import Limits
from memlint.model.digest import ContentID
from memlint.model.image import Blob, Directory, Layer
from memlint.model.layer import LayerIndex

_BY_CHANCE = re.compile(
    r"var/log/.+|var/cache/(?:ldconfig/aux-cache|apt/.+|debconf/.+-old|man/.+|fontconfig/.+)|var/lib/apt/lists/.+"
    r"|var/lib/dpkg/[^/]+-old|etc/(?:machine-id|hostname|hosts|resolv\.conf|[^/]+-)|var/lib/dbus/machine-id"
    r"|var/lib/systemd/random-seed|(?:run|tmp|var/tmp)/.+"
)
"""Logs, caches, earlier states of databases, what identifies one machine, and what a container brings itself."""
_COMPILED = ".pyc"
_HEAD = 16
"""Bytes of a compiled Python file before its code: they hold the time of its source (PEP 552)."""
_CHUNK = 1 << 20


def contents_of(layer: Layer, limits: Limits) -> ContentID | None:
    """The digest over paths, types, modes, owners and contents; None where the layer's bytes are not at hand.

    LayerError when they cannot be read.
    """
    if layer.content is None:
        return None
    try:
        if isinstance(layer.content, Directory):
            root = layer.content.path
            return _digest({"": _noted(os.stat(root), extended_at(root), b"directory"), **dict(_walked(root, ""))})
        return _digest(_members(layer, layer.content, limits))
    except (OSError, tarfile.TarError) as error:
        raise LayerError(f"cannot be read ({error})", "check the file and its permissions") from error


def named_alike(one: LayerIndex, other: LayerIndex) -> bool:
    """Whether two layers have the same paths, as far as these matter: what an index tells before anything is read."""
    return _paths(one) == _paths(other)


def _paths(index: LayerIndex) -> tuple[set[str], Mapping[str, str], object]:
    files = {file.path for file in index.files} | {script.path for script in index.scripts} | set(index.others)
    meant = {path for path in (*files, *index.directories) if not _BY_CHANCE.fullmatch(path)}
    return meant, index.symlinks, (index.whiteouts, index.opaque)


def _digest(entries: Mapping[str, bytes]) -> ContentID:
    digest = blake3.blake3()
    for path in sorted(entries):
        digest.update(path.encode("utf-8", "surrogateescape") + b"\0" + entries[path] + b"\n")
    return ContentID("blake3:" + digest.hexdigest())


def _noted(status: os.stat_result, extended: Extended, what: bytes) -> bytes:
    return _entry(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, extended, what)


def _entry(mode: int, uid: int, gid: int, extended: Extended, what: bytes) -> bytes:
    return f"{mode:o} {uid} {gid} {extended!r} ".encode("utf-8", "surrogateescape") + what


def _walked(root: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    with os.scandir(os.path.join(root, prefix)) as entries:
        for entry in entries:
            path = prefix + os.fsencode(entry.name).decode("utf-8", "surrogateescape")
            if _BY_CHANCE.fullmatch(path):
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                yield path, b"whiteout"
            elif stat.S_ISLNK(status.st_mode):
                yield path, b"symlink " + os.fsencode(os.readlink(entry.path))
            elif stat.S_ISDIR(status.st_mode):
                opaque = b" opaque" if is_opaque(entry.path) else b""
                yield path, _noted(status, extended_at(entry.path), b"directory" + opaque)
                yield from _walked(root, f"{path}/")
            elif stat.S_ISREG(status.st_mode):
                yield path, _noted(status, extended_at(entry.path), _content(path, _read(entry.path)))
            else:
                kind = f"{stat.S_IFMT(status.st_mode):o} {os.major(status.st_rdev)} {os.minor(status.st_rdev)}"
                yield path, _noted(status, extended_at(entry.path), kind.encode())


def _members(layer: Layer, content: Blob, limits: Limits) -> dict[str, bytes]:
    found = {"": _entry(0o755, 0, 0, (), b"directory")}
    for archive, member, path in members_of(layer, content, limits):
        parent, _, name = path.rpartition("/")
        if name == OPAQUE:
            found[parent] = found.get(parent, _entry(0o755, 0, 0, (), b"directory")) + b" opaque"
        elif name.startswith(WHITEOUT):
            found[f"{parent}/{name[len(WHITEOUT) :]}".lstrip("/")] = b"whiteout"
        elif member.islnk():
            found[path] = found.get(clean(member.linkname), b"link " + clean(member.linkname).encode())
        elif member.issym():
            found[path] = b"symlink " + member.linkname.encode("utf-8", "surrogateescape")
        elif not _BY_CHANCE.fullmatch(path):
            what = _kind(member) if not member.isreg() else _content(path, _extracted(archive, member))
            found[path] = _entry(member.mode & 0o7777, member.uid, member.gid, extended_of(member), what)
    return {path: entry for path, entry in found.items() if not _BY_CHANCE.fullmatch(path)}


def _kind(member: tarfile.TarInfo) -> bytes:
    if member.isdir():
        return b"directory"
    kinds = ((member.ischr(), stat.S_IFCHR), (member.isblk(), stat.S_IFBLK), (True, stat.S_IFIFO))
    kind = next(kind for fits, kind in kinds if fits)
    device = (member.devmajor, member.devminor) if kind != stat.S_IFIFO else (0, 0)
    return f"{kind:o} {device[0]} {device[1]}".encode()


def _content(path: str, chunks: Iterable[bytes]) -> bytes:
    digest, skipped = blake3.blake3(), _HEAD if path.endswith(_COMPILED) else 0
    for chunk in chunks:
        digest.update(chunk[skipped:])
        skipped = 0
    return b"file " + digest.digest().hex().encode()


def _read(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = archive.extractfile(member)
    while file is not None and (chunk := file.read(_CHUNK)):
        yield chunk
