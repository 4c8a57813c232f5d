"""What runs the containers: docker, ctr and podman, each on a store of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from ..daemons import Daemon
from .container import Running, wait_until_asleep
from .images import READY


class Engine(Protocol):
    """`storage` is memlint's name of the store."""

    storage: str

    def load(self, archive: Path) -> None:
        """All images of a `docker save`."""

    def start(self, image: str, name: str, *command: str) -> None:
        """A container without network, in the background."""

    def look(self, image: str, name: str) -> Running:
        """The container as its engine knows it."""

    def remove(self, names: list[str]) -> None:
        """End these containers at once, and forget them."""


class Docker:
    """A dockerd, or what speaks as one."""

    def __init__(self, daemon: Daemon, storage: str) -> None:
        self.daemon = daemon
        self.storage = storage

    def load(self, archive: Path) -> None:
        self.daemon.docker("load", "--input", str(archive))

    def start(self, image: str, name: str, *command: str) -> None:
        self.daemon.docker("run", "--detach", "--network=none", f"--name={name}", image, *command)

    def look(self, image: str, name: str) -> Running:
        identity, pid = self.daemon.docker("inspect", "--format={{.Id}} {{.State.Pid}}", name).split()
        return Running(identity, name, image, int(pid))

    def remove(self, names: list[str]) -> None:
        self.daemon.docker("rm", "--force", "--volumes", *names)


class Containerd:
    """containerd, by its own `ctr`: a container's ID is its name."""

    storage = "containerd-overlayfs"

    def __init__(self, socket: Path) -> None:
        self.command = ["ctr", "--address", str(socket)]

    def load(self, archive: Path) -> None:
        _run([*self.command, "images", "import", str(archive)])

    def start(self, image: str, name: str, *command: str) -> None:
        _run([*self.command, "run", "--detach", f"docker.io/{image}:latest", name, *command])

    def look(self, image: str, name: str) -> Running:
        tasks = [line.split() for line in _run([*self.command, "tasks", "list"]).splitlines()]
        (pid,) = [int(task[1]) for task in tasks if task[0] == name]
        return Running(name, name, image, pid)

    def remove(self, names: list[str]) -> None:
        _run([*self.command, "tasks", "delete", "--force", *names])
        _run([*self.command, "containers", "delete", *names])


class Podman:
    """Podman without any service; `settings` is its containers.conf."""

    storage = "containers-storage-overlay"

    def __init__(self, home: Path, settings: Path) -> None:
        self.env = {**os.environ, "CONTAINERS_CONF": str(settings)}
        self.command = ["podman", "--root", f"{home}/root", "--runroot", f"{home}/run", "--storage-driver", "overlay"]
        self.command += ["--cgroup-manager", "cgroupfs"]

    def load(self, archive: Path) -> None:
        self._podman("load", "--input", str(archive))

    def start(self, image: str, name: str, *command: str) -> None:
        self._podman("run", "--detach", "--network=none", f"--name={name}", image, *command)

    def look(self, image: str, name: str) -> Running:
        (said,) = json.loads(self._podman("container", "inspect", name))
        return Running(said["Id"], name, image, said["State"]["Pid"])

    def remove(self, names: list[str]) -> None:
        self._podman("rm", "--force", "--time=0", *names)

    def _podman(self, *arguments: str) -> str:
        return _run([*self.command, *arguments], self.env)


@contextmanager
def running(engine: Engine, images: Sequence[str], replicas: int = 1) -> Iterator[list[Running]]:
    """Containers of these images, asleep; none is left, whatever happens."""
    with ExitStack() as ends:
        names: list[str] = []
        ends.callback(lambda: engine.remove(names))
        yield [_started(engine, ends, names, image) for image in images for _ in range(replicas)]


def _started(engine: Engine, ends: ExitStack, names: list[str], image: str) -> Running:
    name = f"{image.replace('/', '-')}-{len(names)}"
    names.append(name)
    engine.start(image, name)
    container = engine.look(image, name)
    # ends before the engine is asked to remove it, which then need not wait; the handle outlives no process
    handle = os.pidfd_open(container.pid)
    ends.callback(os.close, handle)
    ends.callback(_kill, handle)
    wait_until_asleep(container.pid, READY)
    return container


def _kill(handle: int) -> None:
    """The first process of a container is the end of all its others."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)


def _run(command: list[str], env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
