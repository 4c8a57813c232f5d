"""From what maps says of a mapped file to what holds its pages."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from typing import NamedTuple

from memlint.kernel.bounds import Budget
from memlint.kernel.contents import Content, Contents, UnreadError
from memlint.kernel.host import clean
from memlint.kernel.mapped import Mapped
from memlint.kernel.mappings import DELETED, Area, MappedName, may_be_nameless, name
from memlint.kernel.mounts import Mount, inside, mount_of
from memlint.kernel.namespaces import Namespaces
from memlint.kernel.opening import may_not_answer, regular, reopened
from memlint.kernel.overlay import LayerFile
from memlint.kernel.patience import UnaskedError
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Seen
from memlint.kernel.unseen import Notes
from memlint.kernel.views import Layers, layers
from memlint.layers.file import has_kind
from memlint.model.digest import ContentID
from memlint.model.measure import Held

_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
"""File systems whose files are memory that processes share as well: without a name, or mapped to be written to."""
_NO_CACHE = ("hugetlbfs", "proc", "sysfs", "cgroup", "cgroup2", "bpf", "tracefs", "debugfs")
_DAX = {b"dax", b"dax=always"}
_PATIENCE = 10.0
"""Seconds for what a file system in user space has to tell of one file."""
_NOT_OPENED = "the file cannot be opened"
_NO_MOUNT = "the mount that it was mapped from is gone, or in a namespace that this user may not enter"
_NO_ANSWER = "its file system does not answer"
_OWN = ("overlay", "fuse.fuse-overlayfs")
"""File systems of which each mount caches pages of its own, or tells inodes that are not those of its pages."""


class _HereUnreadError(UnreadError):
    """What one process does not lead to, others may."""


class _Mapping(NamedTuple):
    """A file as a process maps it, and whether that is to write to it in common with others."""

    process: ProcessDirectory
    named: MappedName
    mount: Mount
    written: bool


_Look = Callable[[_Mapping, int], "Mapped | None"]
"""What is made of a file that is open at a descriptor."""
_Key = tuple[bytes, bool]
"""A file as maps names it, and whether it is mapped to be written to: that may make the same one memory."""


class Files:
    """The files that the processes of one container map in one mount namespace, each found once.

    All take the mappings of one process that stand for a file each, by its name in maps.
    """

    def __init__(self, host: Namespaces, contents: Contents, owner: str, notes: Notes, budget: Budget) -> None:
        self._host, self._contents, self._owner, self._notes = host, contents, owner, notes
        self._budget = budget
        self._known: dict[_Key, Mapped | None] = {}
        self._are_files: dict[_Key, bool] = {}
        self._unread: set[_Key] = set()
        self._layers: dict[tuple[int, int], Layers | None] = {}
        self._silent: set[tuple[int, int]] = set()

    def of(self, areas: Mapping[bytes, Area]) -> dict[bytes, Mapped | None]:
        """Those that are known; None is what is no file, or cannot be read."""
        keys = ((file, (file, area.written)) for file, area in areas.items())
        return {file: self._known[key] for file, key in keys if key in self._known}

    def are_unread(self, areas: Mapping[bytes, Area]) -> bool:
        """Whether any of them could not be read."""
        return any((file, area.written) in self._unread for file, area in areas.items())

    def know(self, process: ProcessDirectory, area: Area) -> Mapped | None:
        """Read a file that is not known; None where it is none, or cannot be read, which is noted."""
        key = (area.file, area.written)
        try:
            self._known[key] = self._find(process, area, self._mapped)
        except _HereUnreadError as error:  # another process may lead to it
            self._unled(area, error)
        return self._known.get(key)

    def is_file(self, process: ProcessDirectory, area: Area) -> bool:
        """Whether the page cache has its pages, which takes no reading; not where nobody can tell, which is noted."""
        key = (area.file, area.written)
        if key not in self._are_files:
            try:
                self._are_files[key] = self._find(process, area, self._unlooked) is not None
            except _HereUnreadError as error:
                self._unled(area, error)
        return self._are_files.get(key, False)

    def _unled(self, area: Area, error: UnreadError) -> None:
        """Note what this process does not lead to, if that is a file at all."""
        named = name(area.file)
        if not may_be_nameless(named.path):
            self._note(named, area, str(error))

    def _find(self, process: ProcessDirectory, area: Area, look: _Look) -> Mapped | None:
        named = name(area.file)
        try:
            return self._open(process, named, area, look)
        except _HereUnreadError:
            raise
        except UnreadError as error:
            self._note(named, area, str(error))
        except OSError as error:
            if not process.alive():
                raise
            self._note(named, area, f"it cannot be opened ({error.strerror})")
        return None

    def _note(self, named: MappedName, area: Area, reason: str) -> None:
        self._unread.add((area.file, area.written))
        self._notes.add(f"pages of {named.path}{self._of()}", reason)

    def _open(self, process: ProcessDirectory, named: MappedName, area: Area, look: _Look) -> Mapped | None:
        handle, sure = _handle(process, named, f"{area.start:x}-{area.end:x}")
        try:
            mount = self._mount(process, handle)
        except BaseException:
            os.close(handle)
            raise
        mapping = _Mapping(process, named, mount, area.written)
        if not self._is_of_a_stranger(mount):
            return _found(mapping, handle, look, sure=sure)
        try:
            return self._budget.ask(mount.device, lambda: _found(mapping, handle, look, sure=sure), _PATIENCE)
        except UnaskedError:
            os.close(handle)
            raise UnreadError(_NO_ANSWER) from None
        except TimeoutError:
            self._silent.add(mount.device)
            raise UnreadError(_NO_ANSWER) from None

    def _is_of_a_stranger(self, mount: Mount) -> bool:
        """Whether anyone may have mounted it, over a file system of a program of his own."""
        return mount.type.startswith("fuse") or (mount.type == "overlay" and not self._host.elsewhere(mount))

    def _mount(self, process: ProcessDirectory, handle: int) -> Mount:
        """What a file was mapped from, if it may be touched at all. UnreadError else."""
        number = mount_of(handle)
        mount = self._host.mount(process, number) if number is not None else None
        if mount is None:
            raise _HereUnreadError(_NO_MOUNT)
        if may_not_answer(mount.type):
            raise UnreadError(f"its file system ({clean(mount.type)}) may never answer")
        if mount.device in self._silent:
            raise UnreadError(_NO_ANSWER)
        return mount

    def _unlooked(self, mapping: _Mapping, descriptor: int) -> Mapped | None:
        deleted = _is_deleted(mapping.process, mapping.named, os.fstat(descriptor))
        return Mapped(()) if _is_cached(mapping, descriptor, deleted=deleted) else None

    def _mapped(self, mapping: _Mapping, descriptor: int) -> Mapped | None:
        process, named, mount, _ = mapping
        deleted = _is_deleted(process, named, os.fstat(descriptor))
        path = named.path.removesuffix(DELETED) if deleted else named.path
        if not _is_cached(mapping, descriptor, deleted=deleted):
            return None
        if _DAX.intersection(mount.options.split(b",")):
            raise UnreadError("its file system bypasses the page cache (DAX)")
        inner = inside(mount, path)
        found = self._layers_of(process, mount) if mount.type == "overlay" else None
        if found is not None and inner is not None:
            choices = self._deleted_in if deleted else self._in_layers
            if mapped := choices(found, inner, path, descriptor):
                return mapped
        real = self._host.path(mount, inner) if inner is not None and not deleted else None
        owner = self._owner if mount.type in _OWN else ""
        content = self._contents.of(descriptor, self._owner)
        return Mapped((_seen(path, real, "deleted" if deleted else "plain", owner, descriptor, content),))

    def _in_layers(self, found: Layers, inner: str, path: str, descriptor: int) -> Mapped | None:
        """A file of an overlay, copied up perhaps since it was mapped; None where the layers are not as told."""
        files = found.overlay.find(inner)
        if not files or os.lstat(files[0].path).st_size != os.fstat(descriptor).st_size:
            return None
        top, *hidden = files
        if not found.has_upper or top.layer:
            return Mapped((self._layer_seen(found, top, path),))
        origin = found.overlay.origin(top.path)
        below = list(dict.fromkeys((*([origin] if origin else []), *hidden[:1])))
        lower = [self._layer_seen(found, file, path) for file in below]
        upper = self._layer_seen(found, top, path, lower[0].content if lower else None)
        if origin is not None or not (lower or found.overlay.copied(top.path)):
            return Mapped((*lower, upper), tuple(file.path for file in below))
        # What it is a copy of may have had another name, and is what was mapped before.
        left = self._without_name(path, descriptor)
        return Mapped((*lower, upper, left), (*(file.path for file in below), top.path))

    def _deleted_in(self, found: Layers, inner: str, path: str, descriptor: int) -> Mapped:
        """A file without a name: its pages may be those of a layer's file that is hidden now."""
        hidden = found.overlay.hidden(inner)
        lower = tuple(self._layer_seen(found, file, path) for file in hidden)
        return Mapped((*lower, self._without_name(path, descriptor)), tuple(file.path for file in hidden))

    def _without_name(self, path: str, descriptor: int) -> Seen:
        content = self._contents.of(descriptor, self._owner)
        return _seen(path, None, "deleted", self._owner, descriptor, content)

    def _layer_seen(self, found: Layers, file: LayerFile, path: str, below: ContentID | None = None) -> Seen:
        descriptor = regular(file.path)
        try:
            held: Held = "upper" if found.has_upper and file.layer == 0 else "lower"
            real = file.path[len(found.view) :]
            return _seen(path, real, held, "", descriptor, self._contents.of(descriptor, self._owner), below)
        finally:
            os.close(descriptor)

    def _layers_of(self, process: ProcessDirectory, mount: Mount) -> Layers | None:
        if mount.device not in self._layers:
            points = [each.point for each in self._host.elsewhere(mount)]
            found = layers(mount, self._host.views(process), points)
            if found is None:
                reason = "its layers' directories are not where the mount options say"
                hint = "run as root in the host's mount namespace (nsenter --mount --target 1)"
                self._notes.add(f"layers of the overlay at {mount.point}{self._of()}", reason, hint)
            self._layers[mount.device] = found
        return self._layers[mount.device]

    def _of(self) -> str:
        return f" in container {self._owner[:12]}" if self._owner else ""


def _found(mapping: _Mapping, handle: int, look: _Look, *, sure: bool) -> Mapped | None:
    """What `look` makes of the file behind a handle, which is closed."""
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return None  # a device or the like, which must not even be opened
        if not sure and status.st_ino != mapping.named.inode:
            raise _HereUnreadError(_NOT_OPENED)
        descriptor = reopened(handle)
    finally:
        os.close(handle)
    try:
        return look(mapping, descriptor)
    finally:
        os.close(descriptor)


def _is_cached(mapping: _Mapping, descriptor: int, *, deleted: bool) -> bool:
    """Whether a file's pages are page cache, and not memory that processes share, or something else."""
    may_be_memory = mapping.mount.type in _MEMORY and (deleted or mapping.written)
    return mapping.mount.type not in _NO_CACHE and (not may_be_memory or has_kind(descriptor))


def _handle(process: ProcessDirectory, named: MappedName, where: str) -> tuple[int, bool]:
    """A handle of the file, also of one without a name; by its path, which is not sure, where the mapping is gone."""
    try:
        return process.handle(f"map_files/{where}"), True
    except OSError:
        if not process.alive():
            raise ProcessLookupError from None
    try:
        return process.mapped(named.path), False
    except OSError as error:
        raise _HereUnreadError(_NOT_OPENED) from error


def _is_deleted(process: ProcessDirectory, named: MappedName, status: os.stat_result) -> bool:
    """Whether the mark of a deleted file is one, and not part of a file's name."""
    if not named.path.endswith(DELETED):
        return False
    try:
        handle = process.mapped(named.path)
    except OSError:
        return True
    try:
        return os.fstat(handle).st_ino != status.st_ino
    finally:
        os.close(handle)


def _seen(
    path: str,
    real: str | None,
    held: Held,
    owner: str,
    descriptor: int,
    content: Content,
    below: ContentID | None = None,
) -> Seen:
    status, described = os.fstat(descriptor), content.described
    return Seen(
        path=path,
        real=real,
        held=held,
        device=status.st_dev,
        inode=status.st_ino,
        owner=owner,
        size=described.size,
        content=described.content,
        kind=described.kind,
        mappable_bytes=described.mappable_bytes,
        elf=described.elf,
        below=below,
        cached_pages=content.cached_pages,
    )
