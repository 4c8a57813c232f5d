"""Processes → the containers that they are in, each with name, image and what its store shares."""

from __future__ import annotations

import errno
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

from memlint.kernel.bounds import Bounds, Budget, SpentError
from memlint.kernel.containers.believing import believed
from memlint.kernel.containers.census import Census, census, daemons, descendants, is_engine, supervisors
from memlint.kernel.containers.cgroups import Identifying
from memlint.kernel.containers.containerd import Containerd
from memlint.kernel.containers.containers_storage import CriO, Podman
from memlint.kernel.containers.docker import Docker
from memlint.kernel.containers.interface import Around, Found, Identity, Named, Naming, Runtime, Supervisor, Task
from memlint.kernel.containers.machines import BUILDKIT, LXC, NSPAWN
from memlint.kernel.containers.rootfs import storage_of
from memlint.kernel.host import Host, clean
from memlint.kernel.mounts import Mount
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Container
from memlint.kernel.tables import table_of
from memlint.kernel.unseen import HIDDEN, as_root, late, with_more_rights
from memlint.model.measure import Unseen
from memlint.model.units import enumerated

RUNTIMES: tuple[Runtime, ...] = (Docker(), Containerd(), CriO(), Podman(), BUILDKIT, LXC, NSPAWN)
"""Where a container's cgroup does not tell the runtime, the first one whose files know it is it."""
_GONE = {errno.ENOENT, errno.ESRCH, errno.EINVAL}
"""What reading the mounts of a process says that ended, or of a zombie."""
_SHORT = 12
_PATIENCE = 10.0
"""Seconds for the files of all engines."""
_RANDOM = re.compile(r"[0-9a-f]{64}\Z")


def running(
    host: Host | None = None,
    *,
    runtimes: Sequence[Runtime] = RUNTIMES,
    seen: Census | None = None,
    budget: Budget | None = None,
) -> tuple[list[Container], list[Unseen]]:
    """All containers with a process, by cgroup, and what could not be seen of them.

    Names and images come from files, then from the engines, then there is the ID alone, and an Unseen that says so; for
    these a `budget` may end before all are known. `seen` are the processes, where they are known already.
    """
    host, budget = host or Host(), budget or Budget(Bounds())
    seen = seen or census(host)
    around = surroundings(seen, host)
    members = _members(seen.tasks, around, runtimes)
    met = [_found(identity, pids, host, seen) for identity, pids in members.items()]
    found = [each for each in met if each is not None]
    names, in_time = _names(found, around, runtimes, budget)
    containers = [_container(each, number, *names[each.identity]) for number, each in _numbered(found)]
    return containers, [
        *_hidden(seen),
        *_unnamed(containers, [names[each.identity][1] for each in found], in_time=in_time),
        *_unplaced(found),
    ]


def surroundings(seen: Census, host: Host) -> Around:
    """The engines, and what watches containers, among the processes."""
    speakers = believed((task for task in seen.tasks if is_engine(task)), RUNTIMES, host)
    return Around(host, supervisors(speakers, host), daemons(speakers, host))


def _members(tasks: Sequence[Task], around: Around, runtimes: Sequence[Runtime]) -> dict[Identity, list[int]]:
    """The processes of each container, as it was first met."""
    watched = {(each.namespace, each.id): each.runtime for each in around.supervisors}
    identifying = Identifying(runtimes, watched)
    groups: dict[tuple[str, str], tuple[Identity, list[int]]] = {}
    outside = []
    for task in tasks:
        identity = identifying.among(task.cgroups)
        if identity is None:
            outside.append(task)
        else:
            groups.setdefault(_key(identity), (identity, []))[1].append(task.pid)
    for identity, pids in _without_cgroups(outside, {name for name, _ in groups}, around):
        groups[_key(identity)] = (identity, pids)
    return dict(groups.values())


def _key(identity: Identity) -> tuple[str, str]:
    """What tells containers apart: a random ID does, and of given ones each namespace may have its own."""
    return identity.id, "" if _RANDOM.match(identity.id) else identity.cgroup


def _numbered(found: Iterable[Found]) -> Iterator[tuple[int, Found]]:
    """Each with how many before it have its ID."""
    met: Counter[str] = Counter()
    for each in found:
        yield met[each.identity.id], each
        met[each.identity.id] += 1


def _without_cgroups(
    tasks: Sequence[Task], known: Collection[str], around: Around
) -> Iterator[tuple[Identity, list[int]]]:
    """Containers that got no cgroup (rootless on version 1, `--cgroups=disabled`): the processes below a supervisor."""
    left: dict[str, Supervisor] = {each.id: each for each in around.supervisors if each.id not in known}
    if not left:
        return
    below = descendants({each.pid: each.id for each in left.values()}, tasks, around.host)
    groups: dict[str, list[int]] = {}
    for pid, identity in sorted(below.items()):
        groups.setdefault(identity, []).append(pid)
    cgroups = {task.pid: task.cgroups for task in tasks}
    for identity, pids in groups.items():
        yield Identity(left[identity].runtime, identity, next(iter(cgroups[pids[0]]), "/")), pids


def _found(identity: Identity, pids: Sequence[int], host: Host, seen: Census) -> Found | None:
    """None for a container that ended meanwhile."""
    for pid in pids:
        rootfs = rootfs_of(pid, host)
        if rootfs != "gone":
            return Found(identity, tuple(pids), rootfs)
    return Found(identity, tuple(pids), None) if seen.hidden else None  # of what is hidden it looks the same


def rootfs_of(pid: int, host: Host) -> Mount | Literal["gone"] | None:
    """What is mounted at the root of a process's mount namespace; None where this user may not see it."""
    try:
        with ProcessDirectory(host.proc, pid) as process:
            return table_of(process).top()
    except OSError as error:
        return "gone" if error.errno in _GONE else None


_Names = dict[Identity, tuple[str, Named]]
"""The runtime of each container, and what it is called."""


def _names(found: Sequence[Found], around: Around, runtimes: Sequence[Runtime], budget: Budget) -> tuple[_Names, bool]:
    """By files first, and engines are asked for the rest; and whether there was time for all of it."""
    in_time = True
    try:
        told = budget.ask("containers' names", partial(_all_stated, found, around, runtimes, budget), _PATIENCE)
    except (TimeoutError, SpentError):
        told, in_time = {each.identity: (each.identity.runtime, Named()) for each in found}, False
    for runtime in runtimes:
        lacking = [key for key, (name, named) in told.items() if name in (runtime.name, "") and not _whole(named)]
        answers = runtime.asked(around, budget.share) if lacking else {}
        for key in lacking:
            if key.id not in answers:
                continue
            files, answer = told[key][1], answers[key.id]
            told[key] = (runtime.name, Named(files.name or answer.name, files.image or answer.image))
    return told, in_time and budget.left() > 0


def _all_stated(found: Iterable[Found], around: Around, runtimes: Iterable[Runtime], budget: Budget) -> _Names:
    namings = [(runtime.name, runtime.states(around)) for runtime in runtimes]
    told = {}
    for each in found:
        budget.check()
        told[each.identity] = _stated(each, namings)
    return told


def _whole(named: Named) -> bool:
    return bool(named.name and named.image)


def _stated(found: Found, namings: Iterable[tuple[str, Naming]]) -> tuple[str, Named]:
    for name, naming in namings:
        if found.identity.runtime in (name, "") and (named := naming(found)) is not None:
            return name, named
    return found.identity.runtime, Named()


def _container(found: Found, number: int, runtime: str, named: Named) -> Container:
    identity = found.identity
    return Container(
        id=clean(identity.cgroup.strip("/") if number else identity.id),
        name=clean(named.name) or clean(identity.id[:_SHORT]),
        image=clean(named.image),
        runtime=runtime or "unknown",
        storage=storage_of(found.rootfs, runtime) if found.rootfs else None,
        cgroup=clean(identity.cgroup),
        pids=found.pids,
    )


def _hidden(seen: Census) -> Iterator[Unseen]:
    if seen.hidden:
        yield Unseen("processes of other users", HIDDEN, as_root(), containers=not seen.complete)


def _unnamed(containers: Sequence[Container], names: Sequence[Named], *, in_time: bool) -> Iterator[Unseen]:
    """One for the containers of each runtime, not one for each of a thousand."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for container, named in zip(containers, names, strict=True):
        what = "names" if not named.name else "images" if not named.image else None
        if what and container.runtime not in _IMAGELESS:
            lacking.setdefault((what, container.runtime), []).append(container.name)
    for (kind, runtime), known in lacking.items():
        what = f"the {kind} of {_listed(known)} ({runtime})"
        reason = "no file that this user may read tells them, and no engine that answers knows them"
        yield Unseen(what, reason, with_more_rights(), totals=False) if in_time else late(what)


_IMAGELESS = frozenset((LXC.name, NSPAWN.name, BUILDKIT.name))
"""Their containers are named by the cgroup, and have no image."""


def _unplaced(found: Iterable[Found]) -> Iterator[Unseen]:
    lacking = [each.identity.id[:_SHORT] for each in found if each.rootfs is None]
    if lacking:
        yield Unseen(
            f"the storage of {_listed(lacking)}",
            "this user may not read their mounts",
            as_root(),
            totals=False,
        )


def _listed(names: Sequence[str]) -> str:
    return enumerated([clean(name) for name in names])
