"""All processes of a host, the engines among them, and which containers they are in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from memlint.kernel.containers.cgroups import cgroups_of
from memlint.kernel.containers.interface import Daemon, Supervisor, Task
from memlint.kernel.host import Host, read
from memlint.kernel.process import ProcessDirectory, hides

_ENGINES = ("dockerd", "containerd", "crio")
_SHIM, _CONMON = "containerd-shim", "conmon"
_WORDS_MAX = 2**20
_GROUPS_MAX = 50_000


class Census(msgspec.Struct, frozen=True):
    """The processes that there are; `hidden` is whether this user may not see them all (proc(5), hidepid).

    `complete` is whether all are here nevertheless: the tree of cgroups has told of the others.
    """

    tasks: tuple[Task, ...]
    hidden: bool
    complete: bool = True


def census(host: Host) -> Census:
    """Look at all processes once. Those that end meanwhile are left out."""
    looks = [_look(pid, host) for pid in pids_of(host)]
    tasks = tuple(look for look in looks if isinstance(look, Task))
    if None not in looks and not hides(host.proc):
        return Census(tasks, hidden=False)
    behind = tuple(_behind(tasks, host))
    return Census((*tasks, *behind), hidden=True, complete=bool(behind))


def _look(pid: int, host: Host) -> Task | Literal["gone"] | None:
    """None for a process that this user may not see."""
    try:
        with ProcessDirectory(host.proc, pid) as process:
            cgroups = cgroups_of(os.fsdecode(process.read("cgroup")))
            return Task(pid, process.command(), cgroups)
    except PermissionError:
        return None
    except OSError:
        return "gone"


def pids_of(host: Host) -> list[int]:
    """The numbers of all processes that /proc shows."""
    return sorted(int(name) for name in os.listdir(host.proc) if name.isdecimal() and name.isascii())


def _behind(tasks: Iterable[Task], host: Host) -> Iterator[Task]:
    """The processes that only the tree of cgroups tells of."""
    seen = {task.pid for task in tasks}
    for top in _hierarchies(host):
        for number, (directory, below, files) in enumerate(os.walk(top)):
            below.sort()
            if "cgroup.procs" not in files or number > _GROUPS_MAX:
                continue
            path = directory.removeprefix(top) or "/"
            for pid in _members(f"{directory}/cgroup.procs"):
                if pid not in seen:
                    seen.add(pid)
                    yield Task(pid, "", (path,))


def _hierarchies(host: Host) -> list[str]:
    """The unified tree, or of version 1 those that engines use for all containers."""
    if os.path.exists(f"{host.cgroup}/cgroup.controllers"):
        return [host.cgroup]
    return [top for name in ("unified", "systemd", "memory") if os.path.isdir(top := f"{host.cgroup}/{name}")]


def _members(path: str) -> list[int]:
    """Processes of other PID namespaces are 0 there."""
    try:
        return [int(word) for word in read(path).split() if word.isdigit() and word != b"0"]
    except OSError:
        return []


def is_engine(task: Task) -> bool:
    """Whether a process is called like an engine, or like what watches a container."""
    return task.command in (*_ENGINES, _SHIM, _CONMON)


def supervisors(tasks: Iterable[Task], host: Host) -> tuple[Supervisor, ...]:
    """The shims and conmons among the processes."""
    found = []
    for task in tasks:
        words = words_of(task.pid, host) if task.command in (_SHIM, _CONMON) else ()
        if task.command == _SHIM and (shim := _shim(task.pid, words, host)):
            found.append(shim)
        elif task.command == _CONMON and (conmon := _conmon(task.pid, words, host)):
            found.append(conmon)
    return tuple(found)


def daemons(tasks: Iterable[Task], host: Host) -> tuple[Daemon, ...]:
    """The engines among the processes; the files of one in a container are behind its root."""
    return tuple(
        Daemon(task.pid, task.command, words_of(task.pid, host), _root(task.pid, host))
        for task in tasks
        if task.command in _ENGINES
    )


def reached(daemon: Daemon, path: str) -> str:
    """The way to a path that a daemon was given, also one relative to where it was started."""
    return daemon.root + path if path.startswith("/") else f"{os.path.dirname(daemon.root)}/cwd/{path}"


def words_of(pid: int, host: Host) -> tuple[str, ...]:
    """A process's command line; none where it cannot be read."""
    try:
        line = os.fsdecode(read(f"{host.proc}/{pid}/cmdline", _WORDS_MAX))
    except OSError:
        return ()
    return tuple(line.removesuffix("\0").split("\0"))


def value_of(words: Iterable[str], *names: str) -> str:
    """The value of an option of a command line, the last one; names as written, with their dashes."""
    return next(iter(values_of(words, *names)[::-1]), "")


def values_of(words: Iterable[str], *names: str) -> list[str]:
    """The same, of an option that may be repeated: `--name value` or `--name=value`."""
    values, waiting = [], False
    for word in words:
        name, equals, value = word.partition("=")
        if waiting:
            values.append(word)
            waiting = False
        elif name in names:
            waiting = not equals
            values += [value] if equals else []
    return values


def _shim(pid: int, words: tuple[str, ...], host: Host) -> Supervisor | None:
    """A shim's working directory is the bundle of the container that it was started for, in whichever namespace."""
    identity, namespace = value_of(words, "-id"), value_of(words, "-namespace")
    if not identity or not namespace:
        return None
    cwd = f"{host.proc}/{pid}/cwd"
    bundle = cwd if _link(cwd).endswith(f"/{namespace}/{identity}") else ""
    runtime = "docker" if namespace == "moby" else "containerd"
    return Supervisor(pid, runtime, identity, _root(pid, host), bundle, namespace, value_of(words, "-address"))


def _conmon(pid: int, words: tuple[str, ...], host: Host) -> Supervisor | None:
    identity = value_of(words, "-c", "--cid")
    if not identity:
        return None
    runtime = "podman" if any(os.path.basename(word) == "podman" for word in words) else "cri-o"
    bundle, name = value_of(words, "-b", "--bundle"), value_of(words, "-n", "--name")
    return Supervisor(pid, runtime, identity, _root(pid, host), bundle, name=name)


def _root(pid: int, host: Host) -> str:
    return f"{host.proc}/{pid}/root"


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def descendants(roots: Mapping[int, str], tasks: Iterable[Task], host: Host) -> dict[int, str]:
    """The processes below some others → what those stand for. They themselves are not among them."""
    parents = {task.pid: _parent(task.pid, host) for task in tasks}
    found: dict[int, str] = {}
    for pid in parents:
        above, steps = parents[pid], 0
        while above and above not in roots and steps < len(parents):
            above, steps = parents.get(above, 0), steps + 1
        if above in roots and pid not in roots:
            found[pid] = roots[above]
    return found


def _parent(pid: int, host: Host) -> int:
    try:
        stat = read(f"{host.proc}/{pid}/stat")
        return int(stat.rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
