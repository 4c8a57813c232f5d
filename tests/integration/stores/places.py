"""The stores themselves, each made in a directory of its own."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from textwrap import dedent

from support.lacking import lacking

from ..daemons import dockerd, end_those_of, need, serving, unmount_below
from .engines import Containerd, Docker, Engine, Podman

BTRFS_BYTES = 2 << 30


@contextmanager
def overlay2(home: Path) -> Iterator[Engine]:
    """Docker's default until version 29."""
    with dockerd(home) as daemon:
        yield Docker(daemon, "overlay2")


@contextmanager
def vfs(home: Path) -> Iterator[Engine]:
    """A whole copy per layer and container."""
    with dockerd(home, "vfs") as daemon:
        yield Docker(daemon, "vfs")


@contextmanager
def btrfs(home: Path) -> Iterator[Engine]:
    """Snapshots, on a file system in a sparse file."""
    need("mkfs.btrfs", "losetup")
    device, place = home / "btrfs", home / "data"
    with device.open("wb") as file:
        file.truncate(BTRFS_BYTES)
    subprocess.run(["mkfs.btrfs", "--quiet", str(device)], check=True)
    place.mkdir()
    mounted = subprocess.run(["mount", "-o", "loop", str(device), str(place)], capture_output=True, text=True)
    if mounted.returncode != 0:
        lacking(f"btrfs on a loop device: {mounted.stderr}")
    try:
        with dockerd(home, "btrfs") as daemon:
            yield Docker(daemon, "btrfs")
    finally:
        unmount_below(home)


@contextmanager
def fuse_overlayfs(home: Path) -> Iterator[Engine]:
    """Overlays by a process per mount."""
    need("fuse-overlayfs")
    if not os.path.exists("/dev/fuse"):
        lacking("/dev/fuse")
    with dockerd(home, "fuse-overlayfs") as daemon:
        yield Docker(daemon, "fuse-overlayfs")


@contextmanager
def containerd(home: Path) -> Iterator[Engine]:
    """Overlays of snapshots, without any dockerd."""
    need("containerd", "ctr", "runc")
    socket = home / "c.sock"
    settings = home / "config.toml"
    settings.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
    command = ["containerd", "--config", str(settings), "--address", str(socket)]
    command += ["--root", str(home / "root"), "--state", str(home / "state")]
    with serving(command, home, lambda: _answers(socket)):
        yield Containerd(socket)


@contextmanager
def podman(home: Path) -> Iterator[Engine]:
    """containers/storage, whose locks and events are its own, too."""
    need("podman", "runc")
    settings = home / "containers.conf"
    settings.write_text(
        dedent(f"""
            [containers]
            default_ulimits = {_limits()}
            [engine]
            lock_type = "file"
            events_logger = "none"
            tmp_dir = "{home}/tmp"
        """)
    )
    try:
        yield Podman(home, settings)
    finally:
        end_those_of(home)
        unmount_below(home)


STORES: dict[str, Callable[[Path], AbstractContextManager[Engine]]] = {
    "overlay2": overlay2,
    "vfs": vfs,
    "btrfs": btrfs,
    "fuse-overlayfs": fuse_overlayfs,
    "containerd": containerd,
    "podman": podman,
}


def _answers(socket: Path) -> bool:
    return subprocess.run(["ctr", "--address", str(socket), "version"], capture_output=True).returncode == 0


def _limits() -> list[str]:
    """Podman's own are above what some hosts grant to root: no more than this process has, and no more than needed."""
    kinds = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
    hard = {name: resource.getrlimit(kind)[1] for name, kind in kinds.items()}
    return [f"{name}={limit}:{limit}" for name, most in hard.items() for limit in [most if 0 < most < 4096 else 4096]]
