"""What engines keep of the images that containers were started from: read from their files, without a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from memlint.kernel.containers import containerd, containers_storage, docker
from memlint.kernel.containers.census import census
from memlint.kernel.containers.interface import Around, Found, Identity, Origin
from memlint.kernel.containers.running import rootfs_of, surroundings
from memlint.kernel.host import Host
from memlint.kernel.mounts import Mount
from memlint.kernel.residency import Container

_OF: dict[str, Callable[[Around], Callable[[Found], Origin]]] = {
    "docker": docker.origins,
    "containerd": containerd.origins,
    "podman": containers_storage.origins,
    "cri-o": containers_storage.origins,
}


def origins(containers: Iterable[Container], host: Host | None = None) -> dict[str, Origin]:
    """The origin of each container, by its ID, as far as this user may read it."""
    host = host or Host()
    around = surroundings(census(host), host)
    of = {runtime: make(around) for runtime, make in _OF.items()}
    return {each.id: of[each.runtime](_found(each, host)) for each in containers if each.runtime in of}


def _found(container: Container, host: Host) -> Found:
    mounts = (rootfs_of(pid, host) for pid in container.pids)
    rootfs = next((mount for mount in mounts if isinstance(mount, Mount)), None)
    return Found(Identity(container.runtime, container.id, container.cgroup), container.pids, rootfs)
