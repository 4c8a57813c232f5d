"""Which package a mapped file came from, as the databases of dpkg and apk in its container say."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice

from memlint import TYPE_CHECKING
from memlint.kernel.bounds import Bounds, Budget, SpentError
from memlint.kernel.opening import regular
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Sight
from memlint.kernel.unseen import late
from memlint.model.digest import ContentID
from memlint.model.layer import Package
from memlint.model.measure import Unseen

if TYPE_CHECKING:
    from memlint.layers.packages import Databases

_DIRECTORIES = ("var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/status.d", "lib/apk/db", "usr/lib/apk/db")
_CHUNK = 1 << 20
_PATIENCE = 20.0
_FILES = 50_000
"""Of a directory; a large desktop's dpkg has a tenth of them."""


def packages_of(
    sight: Sight, *, proc: str = "/proc", budget: Budget | None = None
) -> tuple[dict[ContentID, Package], list[Unseen]]:
    """The packages of the contents that several files hold, and what there was no time for; one container of each image
    is asked.

    Where no database can be read, or none knows the file, it has no package here.
    """
    budget = budget or Budget(Bounds())
    found: dict[ContentID, Package] = {}
    unseen: list[Unseen] = []
    asked: set[str] = set()
    doubled = _doubled(sight)
    for container in sight.containers:
        paths = {path: content for pid in container.pids for path, content in doubled.get(pid, {}).items()}
        pid = next((pid for pid in container.pids if _has_root(proc, pid)), None)
        if pid is None or not paths or (container.image or container.id) in asked:
            continue
        asked.add(container.image or container.id)
        about = f"the packages of files in {container.name or container.id[:12]}"
        try:
            owners = budget.ask(("packages", container.id), partial(_owners, proc, pid, paths, budget.check), _PATIENCE)
        except (TimeoutError, SpentError):
            unseen.append(late(about))
            continue
        found |= {paths[path]: package for path, package in owners.items() if paths[path] not in found}
    return found, unseen


def _doubled(sight: Sight) -> Mapping[int, dict[str, ContentID]]:
    """The paths that each process maps of contents of which there are several files."""
    files: dict[ContentID, set[tuple[int, int, str]]] = {}
    for each in sight.residencies:
        files.setdefault(each.file.content, set()).add((each.file.device, each.file.inode, each.file.owner))
    found: dict[int, dict[str, ContentID]] = defaultdict(dict)
    for each in sight.residencies:
        if len(files[each.file.content]) > 1:
            found[each.pid][each.file.path.strip("/")] = each.file.content
    return found


def _has_root(proc: str, pid: int) -> bool:
    """Whether a process is there, and its root may be looked at."""
    try:
        with ProcessDirectory(proc, pid) as process:
            os.close(process.handle("root"))
    except OSError:
        return False
    return True


def _owners(proc: str, pid: int, paths: dict[str, ContentID], check: Callable[[], None]) -> dict[str, Package]:
    try:
        with ProcessDirectory(proc, pid) as process:
            return _databases(process, check).owners(paths)
    except OSError:
        return {}


def _databases(process: ProcessDirectory, check: Callable[[], None]) -> Databases:
    """Those on the container's own root: a stranger's mount over them is not read."""
    from memlint.layers.packages import Databases, database_of  # of no use where nothing lies twice

    databases = Databases()
    for directory in _DIRECTORIES:
        try:
            handle = process.within(directory)
        except OSError:
            continue
        try:
            for name in _names(handle):
                check()
                if database_of(f"{directory}/{name}") is not None:
                    _add(databases, f"{directory}/{name}", name, handle)
        finally:
            os.close(handle)
    return databases


def _add(databases: Databases, path: str, name: str, directory: int) -> None:
    try:
        descriptor = regular(name, directory=directory)
    except OSError:
        return
    try:
        databases.add(path, os.fstat(descriptor).st_size, _chunks(descriptor))
    except OSError:
        return
    finally:
        os.close(descriptor)


def _chunks(descriptor: int) -> Iterator[bytes]:
    return iter(lambda: os.read(descriptor, _CHUNK), b"")


def _names(directory: int) -> Iterator[str]:
    try:
        with os.scandir(f"/proc/self/fd/{directory}") as found:
            yield from sorted(each.name for each in islice(found, _FILES))
    except OSError:
        return
