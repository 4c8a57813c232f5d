"""What is known of containers on the way to `Container`, and what each family of runtimes tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from memlint.kernel.containers.asking import Left
from memlint.kernel.host import Host
from memlint.kernel.mounts import Mount


class Task(msgspec.Struct, frozen=True):
    """A process: the name of its program (15 bytes at most), and its cgroup in each hierarchy, unified first."""

    pid: int
    command: str
    cgroups: tuple[str, ...]


class Supervisor(msgspec.Struct, frozen=True):
    """A process that watches a container from outside: containerd's shim, or conmon.

    `root` leads to its files, as of a daemon. `bundle` is the directory of the container's `config.json`, "" where it
    cannot be seen; `namespace` and `address` are containerd's, `name` is what conmon was told.
    """

    pid: int
    runtime: str
    id: str
    root: str
    bundle: str = ""
    namespace: str = ""
    address: str = ""
    name: str = ""


class Daemon(msgspec.Struct, frozen=True):
    """A process of an engine, its command line, and how its files are reached: `root` before each path."""

    pid: int
    program: str
    words: tuple[str, ...]
    root: str


class Around(msgspec.Struct, frozen=True):
    """What of a host tells of its containers."""

    host: Host
    supervisors: tuple[Supervisor, ...]
    daemons: tuple[Daemon, ...]


class Identity(msgspec.Struct, frozen=True):
    """Which container a cgroup belongs to. `runtime` is "" where the path does not tell."""

    runtime: str
    id: str
    cgroup: str


class Found(msgspec.Struct, frozen=True):
    """A container that runs. `rootfs` is what is mounted at its root, None where that cannot be seen."""

    identity: Identity
    pids: tuple[int, ...]
    rootfs: Mount | None


class Named(msgspec.Struct, frozen=True):
    """A container's name and image; "" is unknown."""

    name: str = ""
    image: str = ""


class Origin(msgspec.Struct, frozen=True):
    """What an engine keeps of the image that a container was started from; "" is unknown.

    `image_id` is the digest of the image's config, `chain` the chain ID of its layers. `store` tells stores apart, and
    for people: containers of two share no page.
    """

    image_id: str = ""
    chain: str = ""
    store: str = ""


Naming = Callable[[Found], Named | None]
"""None for a container that is not known there."""


class Runtime(Protocol):
    """A family of runtimes. `pattern` finds the ID at the end of a container's cgroup path, in its one group."""

    name: str
    pattern: re.Pattern[str]

    def states(self, around: Around) -> Naming:
        """What the runtime's files tell, read without its daemon."""

    def asked(self, around: Around, left: Left) -> Mapping[str, Named]:
        """What its daemon or command answers, each question in the seconds that are `left`, by ID; none where not."""


def pod_name(name: str) -> str:
    """NAMESPACE/POD/CONTAINER out of what the kubelet calls a container, `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`;
    other names are as they are."""
    parts = name.split("_")
    if parts[0] != "k8s" or len(parts) not in (5, 6):
        return name
    container, pod, namespace = parts[1:4] if len(parts) == 6 else (POD, *parts[1:3])
    return f"{namespace}/{pod}/{container}"


POD = "POD"
"""What the kubelet calls the container that holds a pod's namespaces, and runs `pause`."""
