"""From what maps says of a mapped file to what holds its pages."""

from __future__ import annotations

import os
import stat
from functools import partial
from itertools import islice

import msgspec

from memlint.kernel.bounds import Budget
from memlint.kernel.contents import Contents, UnreadError
from memlint.kernel.host import clean
from memlint.kernel.judge import holds
from memlint.kernel.mappings import DELETED, Area, MappedName, name
from memlint.kernel.mounts import Mount, inside, mount_of
from memlint.kernel.namespaces import Namespaces
from memlint.kernel.opening import may_not_answer, regular, reopened
from memlint.kernel.overlay import LayerFile
from memlint.kernel.parts import Part, there
from memlint.kernel.patience import UnaskedError
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Seen
from memlint.kernel.unseen import Notes
from memlint.kernel.views import Layers, layers
from memlint.layers.file import Described, has_kind
from memlint.model.digest import ContentID
from memlint.model.measure import Held

_MEMORY = ("tmpfs", "ramfs", "devtmpfs")
"""File systems of which most mapped files are memory that processes share: only programs and the like are files."""
_NO_CACHE = ("hugetlbfs", "proc", "sysfs", "cgroup", "cgroup2", "bpf", "tracefs", "debugfs")
_DAX = {b"dax", b"dax=always"}
_ASKED = 3
"""Pages whose frames tell which file holds them: one may have been moved or dropped since it was seen."""
_PATIENCE = 10.0
"""Seconds for what a file system in user space has to tell of one file."""
_NO_ANSWER = "its file system does not answer"
_OWN = ("overlay", "fuse.fuse-overlayfs")
"""File systems of which each mount caches pages of its own, or tells inodes that are not those of its pages."""


class Mapped(msgspec.Struct, frozen=True, eq=False):
    """A file that processes of one container map: what may hold its pages, the likeliest last.

    `places` are where all choices but the last can be opened.
    """

    choices: tuple[Seen, ...]
    places: tuple[str, ...] = ()

    def holder(self, part: Part) -> Seen:
        """The file that has these pages in these frames; a few of them tell."""
        asked = list(islice(there(part), _ASKED)) if self.places else []
        for seen, place in zip(self.choices, self.places, strict=False):
            if any(holds(place, page, frame) for page, frame in asked):
                return seen
        return self.choices[-1]


class Files:
    """The files that the processes of one container map in one mount namespace, each found once."""

    def __init__(self, host: Namespaces, contents: Contents, owner: str, notes: Notes, budget: Budget) -> None:
        self._host, self._contents, self._owner, self._notes = host, contents, owner, notes
        self._budget = budget
        self._known: dict[bytes, Mapped | None] = {}
        self._layers: dict[tuple[int, int], Layers | None] = {}
        self._silent: set[tuple[int, int]] = set()

    def of(self, process: ProcessDirectory, area: Area) -> Mapped | None:
        """The file that is mapped; None where it is none, or not known, which is noted."""
        if area.file not in self._known:
            self._known[area.file] = self._find(process, area)
        return self._known[area.file]

    def _find(self, process: ProcessDirectory, area: Area) -> Mapped | None:
        named = name(area.file)
        if named is None:
            return None
        try:
            return self._open(process, named, area)
        except UnreadError as error:
            self._notes.add(f"pages of {named.path}{self._of()}", str(error))
        except OSError as error:
            if not process.alive():
                raise
            self._notes.add(f"pages of {named.path}{self._of()}", f"it cannot be opened ({error.strerror})")
        return None

    def _open(self, process: ProcessDirectory, named: MappedName, area: Area) -> Mapped | None:
        handle, sure = _handle(process, named, f"{area.start:x}-{area.end:x}")
        try:
            mount = self._mount(process, handle)
        except BaseException:
            os.close(handle)
            raise
        if not self._is_of_a_stranger(mount):
            return self._found(process, named, mount, handle, sure=sure)
        try:
            found = partial(self._found, process, named, mount, handle, sure=sure)
            return self._budget.ask(mount.device, found, _PATIENCE)
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
            raise UnreadError("the mount that it was mapped from is gone, or in a namespace of its own")
        if may_not_answer(mount.type):
            raise UnreadError(f"its file system ({clean(mount.type)}) may never answer")
        if mount.device in self._silent:
            raise UnreadError(_NO_ANSWER)
        return mount

    def _found(
        self, process: ProcessDirectory, named: MappedName, mount: Mount, handle: int, *, sure: bool
    ) -> Mapped | None:
        """The file behind a handle, which is closed."""
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return None  # a device or the like, which must not even be opened
            if not sure and status.st_ino != named.inode:
                raise UnreadError("the file cannot be opened")
            descriptor = reopened(handle)
        finally:
            os.close(handle)
        try:
            return self._mapped(process, named, mount, descriptor)
        finally:
            os.close(descriptor)

    def _mapped(self, process: ProcessDirectory, named: MappedName, mount: Mount, descriptor: int) -> Mapped | None:
        deleted = _is_deleted(process, named, os.fstat(descriptor))
        path = named.path.removesuffix(DELETED) if deleted else named.path
        if mount.type in _NO_CACHE or (mount.type in _MEMORY and not has_kind(descriptor)):
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
        top, *hidden = files[: 2 if found.has_upper and files[0].layer == 0 else 1]
        lower = tuple(self._layer_seen(found, file, path) for file in hidden)
        last = self._layer_seen(found, top, path, lower[0].content if lower else None)
        return Mapped((*lower, last), tuple(file.path for file in hidden))

    def _deleted_in(self, found: Layers, inner: str, path: str, descriptor: int) -> Mapped:
        """A file without a name: its pages may be those of a layer's file that is hidden now."""
        hidden = found.overlay.hidden(inner)
        lower = tuple(self._layer_seen(found, file, path) for file in hidden)
        last = _seen(path, None, "deleted", self._owner, descriptor, self._contents.of(descriptor, self._owner))
        return Mapped((*lower, last), tuple(file.path for file in hidden))

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


def _handle(process: ProcessDirectory, named: MappedName, where: str) -> tuple[int, bool]:
    """A handle of the file, also of one without a name; by its path, which is not sure, where the mapping is gone."""
    try:
        return process.handle(f"map_files/{where}"), True
    except OSError:
        if not process.alive():
            raise ProcessLookupError from None
    try:
        return process.within(named.path), False
    except OSError as error:
        raise UnreadError("the file cannot be opened") from error


def _is_deleted(process: ProcessDirectory, named: MappedName, status: os.stat_result) -> bool:
    """Whether the mark of a deleted file is one, and not part of a file's name."""
    if not named.path.endswith(DELETED):
        return False
    try:
        handle = process.within(named.path)
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
    content: Described,
    below: ContentID | None = None,
) -> Seen:
    status = os.fstat(descriptor)
    return Seen(
        path=path,
        real=real,
        held=held,
        device=status.st_dev,
        inode=status.st_ino,
        owner=owner,
        size=content.size,
        content=content.content,
        kind=content.kind,
        mappable_bytes=content.mappable_bytes,
        elf=content.elf,
        below=below,
    )
