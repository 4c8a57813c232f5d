"""A dockerd and a podman service of the tests' own, each in one directory and ended by its own pid."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from support.lacking import lacking

DEADLINE = 60.0


def need(*programs: str) -> None:
    """Go on only as root and with all these programs."""
    if os.geteuid() != 0:
        lacking("root")
    for program in programs:
        if shutil.which(program) is None:
            lacking(program)


class Daemon:
    """What the docker command talks to."""

    def __init__(self, home: Path, socket: Path, cli: str = "docker") -> None:
        self.home = home
        self.socket = socket
        self.cli = cli
        self.host = f"unix://{socket}"
        # The classic builder needs no plugin, and a DOCKER_CONFIG of our own no context of the user's.
        self.env = {
            **os.environ,
            "DOCKER_HOST": self.host,
            "DOCKER_BUILDKIT": "0",
            "DOCKER_CONFIG": str(home / "config"),
        }

    def docker(self, *arguments: str, stdin: IO[bytes] | None = None) -> str:
        """Run `docker`; its output, or an AssertionError that shows what it said."""
        done = subprocess.run(
            [self.cli, *arguments],
            env=self.env,
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def with_buildkit(self) -> Daemon:
        """The same daemon, asked by a docker command that builds with BuildKit."""
        known = (cli for cli in (shutil.which("docker"), "/usr/bin/docker") if cli is not None and os.path.exists(cli))
        cli = next(filter(self._has_buildkit, known), None)
        if cli is None:
            lacking("a docker command with BuildKit: one before 23, or one with buildx")
        daemon = Daemon(self.home, self.socket, cli)
        daemon.env |= {"DOCKER_BUILDKIT": "1", "BUILDER": cli}
        return daemon

    def _has_buildkit(self, cli: str) -> bool:
        """Until 23 the command speaks with the daemon's BuildKit itself, since then only through a plugin."""
        version = ["version", "--format", "{{.Client.Version}}"]
        said = subprocess.run([cli, *version], env=self.env, capture_output=True, text=True)
        if said.returncode != 0:
            return False
        if int(said.stdout.partition(".")[0]) < 23:
            return True
        return subprocess.run([cli, "buildx", "version"], env=self.env, capture_output=True).returncode == 0

    def answers(self) -> bool:
        ping = ["docker", "version", "--format", "{{.Server.Version}}"]
        return subprocess.run(ping, env=self.env, capture_output=True).returncode == 0


@contextmanager
def dockerd(home: Path, driver: str = "overlay2") -> Iterator[Daemon]:
    """A dockerd with this storage driver that leaves the host's network alone."""
    need("dockerd", "docker")
    socket = home / "docker.sock"
    command = ["dockerd", "--data-root", str(home / "data"), "--exec-root", str(home / "exec")]
    command += ["--host", f"unix://{socket}", "--pidfile", str(home / "pid"), "--storage-driver", driver]
    command += ["--bridge", "none", "--iptables=false"]
    daemon = Daemon(home, socket)
    with serving(command, home, daemon.answers):
        yield daemon


@contextmanager
def podman(home: Path) -> Iterator[Daemon]:
    """Podman's Docker-compatible service over a store of its own."""
    need("podman", "docker")
    socket = home / "podman.sock"
    command = [
        "podman",
        "--root",
        str(home / "root"),
        "--runroot",
        str(home / "run"),
        "--storage-driver",
        "overlay",
    ]
    command += ["system", "service", "--time=0", f"unix://{socket}"]
    daemon = Daemon(home, socket)
    with serving(command, home, daemon.answers):
        yield daemon


def without(directory: Path) -> list[str]:
    """A command under which another sees nothing in `directory`."""
    return ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(directory)]


@contextmanager
def serving(command: list[str], home: Path, answers: Callable[[], bool]) -> Iterator[None]:
    """While `command` runs and answers; afterwards nothing is mounted below its `home`."""
    log = home / "log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            give_up = time.monotonic() + DEADLINE
            while not answers():
                if process.poll() is not None or time.monotonic() > give_up:
                    lacking(f"a working {command[0]}:\n{log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)
            end_those_of(home)
            unmount_below(home)


def unmount_below(home: Path) -> None:
    """The daemons leave mounts behind: dockerd its network namespace, podman its store bound to itself."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if mount.startswith(f"{home}/"):
            subprocess.run(["umount", mount], check=True)


def end_those_of(home: Path) -> None:
    """Wait for the processes whose command line names `home`, such as conmon and its cleanup; end them if they stay."""
    give_up = time.monotonic() + DEADLINE / 4
    while pids := _naming(home):
        if time.monotonic() > give_up:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _naming(home: Path) -> list[int]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{home}/" in (directory / "cmdline").read_text(errors="replace"):
                found.append(int(directory.name))
    return found
