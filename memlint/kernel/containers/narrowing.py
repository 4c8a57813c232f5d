"""Which of the containers, and which plain processes, were asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from memlint.errors import UsageError, did_you_mean
from memlint.kernel.containers.census import Census, census
from memlint.kernel.host import Host
from memlint.kernel.residency import Container

_PREFIX_MIN = 3
"""Characters of an ID; names may be as short as one."""


def narrowed(
    containers: Sequence[Container],
    *,
    names: Iterable[str] = (),
    cgroups: Iterable[str] = (),
    pids: Iterable[int] = (),
    host: Host | None = None,
    seen: Census | None = None,
) -> tuple[list[Container], list[int]]:
    """The containers that are meant by any of these, and the processes outside of all containers that are.

    - `names`: names of containers, of a pod's container also its last part, or NAMESPACE/POD for all of
      the pod; or beginnings of an ID.
    - `cgroups`: what is in these or below them; as `/proc/PID/cgroup` has them, or as directories.
    - `pids`: of a container of which these alone are meant, only these count.
    - `seen`: the processes, where they are known already.

    Raises UsageError for one that means nothing.
    """
    host = host or Host()
    whole = {each.id for name in names for each in _named(containers, name)}
    groups = [_group(path, host) for path in cgroups]
    wanted = set(pids)
    if seen is None:
        seen = census(host) if groups or wanted else Census((), hidden=False)
    there = {task.pid for task in seen.tasks}
    wanted |= {pid for group in groups for pid in _inside(group, seen)}
    for pid in pids:
        if pid not in there:
            raise UsageError(f"there is no process {pid}", "give a PID of this host's own, as ps prints it")
    parts = [_part(each, wanted, whole=each.id in whole) for each in containers]
    inside = {pid for each in containers for pid in each.pids}
    return [part for part in parts if part is not None], sorted(wanted - inside)


def _part(container: Container, pids: set[int], *, whole: bool) -> Container | None:
    kept = container.pids if whole else tuple(pid for pid in container.pids if pid in pids)
    return msgspec.structs.replace(container, pids=kept) if kept else None


def _named(containers: Sequence[Container], wanted: str) -> list[Container]:
    """By full name, else by the last part of it, or by the pod, else by the beginning of one container's ID."""
    for found in (
        [each for each in containers if each.name == wanted or each.id == wanted],
        [each for each in containers if wanted in (each.name.rpartition("/")[2], each.name.rpartition("/")[0])],
    ):
        if found:
            return found
    begun = [each for each in containers if len(wanted) >= _PREFIX_MIN and each.id.startswith(wanted)]
    if len(begun) > 1:
        raise UsageError(
            f"{wanted!r} is the beginning of {len(begun)} containers' IDs", "give more of the ID, or the name"
        )
    return begun or _unknown(containers, wanted)


def _unknown(containers: Sequence[Container], wanted: str) -> list[Container]:
    names = [each.name for each in containers]
    near = did_you_mean(wanted, names)
    some = f"containers that run: {', '.join(sorted(names)[:5])}{', …' if len(names) > 5 else ''}"
    hint = near or (some if names else "no container runs on this host, or none that this user may see")
    raise UsageError(f"no container {wanted!r} runs here", hint)


def _group(path: str, host: Host) -> str:
    """A cgroup as /proc has it; a directory may be one of a version 1 hierarchy."""
    text = os.path.normpath(path)
    if text == host.cgroup or text.startswith(f"{host.cgroup}/"):
        inside = text.removeprefix(host.cgroup).strip("/")
        if not os.path.exists(f"{host.cgroup}/cgroup.controllers"):
            inside = inside.partition("/")[2]
        return f"/{inside}"
    return f"/{text.strip('/')}"


def _inside(group: str, seen: Census) -> Iterator[int]:
    """The processes in a cgroup or below it, in whichever hierarchy. UsageError where there are none."""
    below = group if group.endswith("/") else f"{group}/"
    found = [task.pid for task in seen.tasks if any(f"{path}/".startswith(below) for path in task.cgroups)]
    if not found:
        raise UsageError(f"no process is in the cgroup {group}", "give it as /proc/PID/cgroup or systemd-cgls shows it")
    yield from found
