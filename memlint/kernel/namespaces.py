"""The host that is looked at: its kernel, its mount namespaces, and how paths of it are reached from here."""

from __future__ import annotations

import os

from memlint.kernel.mappings import areas
from memlint.kernel.mounts import Mount, mounts
from memlint.kernel.pagemap import PAGE, shows_frames
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.tables import table_of
from memlint.model.measure import Kernel, Unseen

_FIRST_PIDS = "pid:[4026531836]"
"""The host's first PID namespace, by the number that the kernel gives it (PROC_PID_INIT_INO)."""


def kernel(proc: str = "/proc") -> Kernel:
    """The running kernel, and whether it shows this process frame numbers (CAP_SYS_ADMIN, proc_pid_pagemap(5))."""
    name = os.uname()
    return Kernel(name.release, name.machine, PAGE, _shows_frames(proc))


def _shows_frames(proc: str) -> bool:
    try:
        with ProcessDirectory(proc, int(os.readlink(f"{proc}/self"))) as process:
            descriptor = process.open("pagemap")
            try:
                return shows_frames(descriptor, areas(process.read("maps"))) or False
            finally:
                os.close(descriptor)
    except (OSError, ValueError):
        return False


def aside(proc: str = "/proc") -> Unseen | None:
    """What to say where /proc is that of another PID namespace than the host's first: nothing else is in it.

    Whose /proc it is its first process tells; this process is asked where that may not be looked at.
    """
    namespace = _link(f"{proc}/1/ns/pid") or _link(f"{proc}/self/ns/pid")
    if namespace in (None, _FIRST_PIDS):
        return None
    return Unseen(
        "processes and containers outside of this PID namespace",
        "memlint runs in a PID namespace of its own, of which /proc shows the processes alone",
        "run it in the host's: hostPID: true for a pod, --pid=host for docker run and podman run",
        containers=True,
    )


class Namespaces:
    """Mounts are read once of each namespace."""

    def __init__(self, proc: str) -> None:
        self._proc = proc
        self._first = _link(f"{proc}/1/ns/mnt")
        own = _link(f"{proc}/self/ns/mnt")
        self.view = "" if self._first in (None, own) else f"{proc}/1/root"
        self._mounts: dict[str, dict[int, Mount]] = {}
        self._missing: dict[str, set[int]] = {}
        self._devices: dict[tuple[int, int], list[Mount]] | None = None

    def namespace(self, process: ProcessDirectory) -> str:
        """A name of the process's mount namespace."""
        return process.link("ns/mnt")

    def mount(self, process: ProcessDirectory, number: int) -> Mount | None:
        """A mount by its ID, from the process's namespace or another one that is known; None where none has it."""
        name = self.namespace(process)
        if name not in self._mounts:
            self._mounts[name] = table_of(process).mounts
        return self._known(name, number) or self._new(process, name, number)

    def _known(self, name: str, number: int) -> Mount | None:
        self._own()
        tables = (self._mounts[name], *self._mounts.values())  # what it mapped before it got a namespace is of another
        return next((table[number] for table in tables if number in table), None)

    def _new(self, process: ProcessDirectory, name: str, number: int) -> Mount | None:
        """A mount that came later, or that the processes before saw nothing of from their roots."""
        missing = self._missing.setdefault(name, set())
        if number in missing:
            return None
        table = table_of(process)
        self._mounts[name] |= table.mounts
        if table.whole and number not in table.mounts:
            missing.add(number)
        return table.mounts.get(number)

    def elsewhere(self, mount: Mount) -> list[Mount]:
        """Where the host's own namespace has the file system of a mount."""
        if self._devices is None:
            self._devices = {}
            for each in self._own().values():
                self._devices.setdefault(each.device, []).append(each)
        return self._devices.get(mount.device, [])

    def _own(self) -> dict[int, Mount]:
        """The mounts of the host's own namespace."""
        if "" not in self._mounts:
            self._mounts[""] = mounts(_bytes(f"{self._proc}/{1 if self.view else 'self'}/mountinfo"))
        return self._mounts[""]

    def path(self, mount: Mount, inner: str) -> str | None:
        """The host's path of the file at `inner` from the top of a mount's file system."""
        for each in self.elsewhere(mount):
            root = each.root.strip("/")
            if not root or inner.startswith(root + "/"):
                return each.point.rstrip("/") + "/" + inner[len(root) :].lstrip("/")
        return None

    def views(self, process: ProcessDirectory) -> list[str]:
        """What to put before a path to see it as the host does, or as those who started the process do."""
        found = {self._first: self.view}
        pid = process.pid
        while (pid := _parent(self._proc, pid)) > 1:
            found.setdefault(_link(f"{self._proc}/{pid}/ns/mnt"), f"{self._proc}/{pid}/root")
        return list(found.values())


def _parent(proc: str, pid: int) -> int:
    fields = _bytes(f"{proc}/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None
