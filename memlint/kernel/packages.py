"""Which package a mapped file came from, as the databases of dpkg and apk in its container say."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from memlint.kernel.residency import Sight
from memlint.kernel.views import resolved
from memlint.layers.packages import Databases, database_of
from memlint.model.digest import ContentID
from memlint.model.layer import Package

_DIRECTORIES = ("var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/status.d", "lib/apk/db", "usr/lib/apk/db")
_CHUNK = 1 << 20


def packages_of(sight: Sight, *, proc: str = "/proc") -> dict[ContentID, Package]:
    """The packages of the contents that several files hold; one container of each image is asked.

    Where no database can be read, or none knows the file, it has no package here.
    """
    found: dict[ContentID, Package] = {}
    asked: set[str] = set()
    for container in sight.containers:
        paths = _doubled(sight, container.pids)
        pid = next((pid for pid in container.pids if os.path.isdir(f"{proc}/{pid}/root/")), None)
        if pid is None or not paths or (container.image or container.id) in asked:
            continue
        asked.add(container.image or container.id)
        owners = _databases(f"{proc}/{pid}/root").owners(paths)
        found |= {paths[path]: package for path, package in owners.items() if paths[path] not in found}
    return found


def _doubled(sight: Sight, pids: tuple[int, ...]) -> dict[str, ContentID]:
    """The paths that these processes map of contents of which there are several files."""
    files: dict[ContentID, set[tuple[int, int, str]]] = {}
    for each in sight.residencies:
        files.setdefault(each.file.content, set()).add((each.file.device, each.file.inode, each.file.owner))
    own = [each.file for each in sight.residencies if each.pid in pids]
    return {file.path.strip("/"): file.content for file in own if len(files[file.content]) > 1}


def _databases(root: str) -> Databases:
    databases = Databases()
    for directory in _DIRECTORIES:
        real = resolved(root, f"/{directory}")  # links lead to places in the container, never in the host
        for name in sorted(_names(f"{root}{real}")) if real is not None else ():
            path = f"{directory}/{name}"
            if database_of(path) is not None:
                _add(databases, path, f"{root}{real}/{name}")
    return databases


def _add(databases: Databases, path: str, place: str) -> None:
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            databases.add(path, status.st_size, _chunks(descriptor))
    finally:
        os.close(descriptor)


def _chunks(descriptor: int) -> Iterator[bytes]:
    return iter(lambda: os.read(descriptor, _CHUNK), b"")


def _names(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []
