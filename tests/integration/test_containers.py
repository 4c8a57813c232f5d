"""Containers of real engines on directories of their own, found and named without asking any of them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memlint.kernel.containers import asking, containerd, narrowed, running
from memlint.kernel.containers import docker as docker_engine
from memlint.kernel.residency import Container
from memlint.kernel.stores import stores

from .daemons import Daemon, need, unmount_below
from .fleet import NAMES

pytestmark = pytest.mark.integration

SLEEP = ("sleep", "600")
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")
"""Podman asks for more than a container that runs the tests may have."""


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from files alone here."""
    for module in (asking, containerd):
        monkeypatch.setattr(module, "said", lambda *_: None)
    monkeypatch.setattr(docker_engine, "told", lambda *_: None)


def program(directory: Path, path: str) -> Path:
    """A root file system of one program and its libraries."""
    said = subprocess.run(["ldd", path], check=True, capture_output=True, text=True).stdout
    libraries = [word for word in said.split() if word.startswith("/")]
    for file in (path, *libraries):
        target = directory / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-L", file, str(target)], check=True)
    return directory


@contextmanager
def docker_container(daemon: Daemon, name: str) -> Iterator[str]:
    identity = daemon.docker("run", "--detach", "--name", name, "--network", "none", NAMES[0], *SLEEP).strip()
    try:
        yield identity
    finally:
        daemon.docker("rm", "--force", name)


@contextmanager
def podman_container(scratch: Path, driver: str, name: str) -> Iterator[str]:
    """A container in a store of its own."""
    places = ["--root", str(scratch / "root"), "--runroot", str(scratch / "run"), "--storage-driver", driver]
    archive = scratch / "tiny.tar"
    subprocess.run(["tar", "-C", str(program(scratch / "tiny", "/bin/sleep")), "-cf", str(archive), "."], check=True)

    def podman(*arguments: str) -> str:
        done = subprocess.run(["podman", *places, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    podman("import", str(archive), "localhost/tiny:1")
    try:
        yield podman("run", "--detach", "--name", name, "--network", "none", *LIMITS, "localhost/tiny:1", *SLEEP)
    finally:
        podman("rm", "--force", "--time", "0", name)
        unmount_below(scratch)


def found(identity: str) -> Container:
    """The container; nothing of it is unseen."""
    containers, unseen = running()
    assert not [each for each in unseen if identity[:12] in each.what]
    return next(each for each in containers if each.id == identity)


def test_docker_s(docker: Daemon) -> None:
    with docker_container(docker, "memlint-named") as identity:
        container = found(identity)
        pid = int(docker.docker("inspect", "--format", "{{.State.Pid}}", identity))
        kept = stores(containers=[container])
        assert [each.id for each in narrowed([container], names=["memlint-named"])[0]] == [identity]
        assert narrowed([container], cgroups=[container.cgroup])[0] == [container]
    assert (container.name, container.image, container.runtime) == ("memlint-named", NAMES[0], "docker")
    assert (container.storage, container.pids) == ("overlay2", (pid,))
    own = next(each for each in kept if each.root == str(docker.home / "data"))
    assert (own.engine, own.driver, own.shared_by) == ("docker", "overlay2", "layer chain")
    assert identity not in {each.id for each in running()[0]}


@pytest.mark.parametrize(
    ("driver", "storage", "shared_by"),
    [("overlay", "containers-storage-overlay", "layer chain"), ("vfs", "vfs", "container")],
)
def test_podman_s(scratch: Path, driver: str, storage: str, shared_by: str) -> None:
    need("podman")
    with podman_container(scratch, driver, f"memlint-{driver}") as identity:
        container = found(identity)
        kept = stores(containers=[container])
    assert (container.name, container.image, container.runtime) == (f"memlint-{driver}", "localhost/tiny:1", "podman")
    assert container.storage == storage
    own = next(each for each in kept if each.root == str(scratch / "root"))
    assert (own.engine, own.driver, own.shared_by) == ("containers-storage", driver, shared_by)
    assert any("shares nothing" in warning for warning in own.warnings) == (driver == "vfs")
