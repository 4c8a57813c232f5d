"""Docker: what its data root tells of a container, and its API."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from memlint.kernel.containers.asking import Left, told
from memlint.kernel.containers.census import reached, value_of, values_of
from memlint.kernel.containers.cgroups import ID
from memlint.kernel.containers.containerd import chain_of, snapshot_roots
from memlint.kernel.containers.containerd import roots_at as snapshot_roots_at
from memlint.kernel.containers.interface import Around, Daemon, Found, Named, Naming, Origin, pod_name
from memlint.kernel.host import Host, document
from memlint.kernel.mounts import Mount
from memlint.kernel.overlay_options import overlay_options

_STORE = re.compile(r"(/.+)/(?:overlay2|fuse-overlayfs)/[0-9a-f]+(?:-init)?/diff\Z")
_DIRECTORY = re.compile(r"(/.+)/(?:vfs/dir|btrfs/subvolumes)/[0-9a-f]+\Z")


class _Config(msgspec.Struct, rename="pascal"):
    image: str = ""


class _State(msgspec.Struct, rename="pascal"):
    """A container's `config.v2.json`."""

    name: str = ""
    image: str = ""
    driver: str = ""
    config: _Config | None = None


class _Settings(msgspec.Struct, rename="kebab"):
    """`daemon.json`."""

    data_root: str = ""
    graph: str = ""


class _Listed(msgspec.Struct, rename="pascal"):
    """A container, as the API lists it."""

    id: str
    names: list[str] | None = None
    image: str = ""


class _Info(msgspec.Struct, rename="pascal"):
    """What the API says of the daemon."""

    docker_root_dir: str = ""
    driver: str = ""


class Docker:
    """Containers of dockerd, also of one that runs with directories and sockets of its own."""

    name = "docker"
    pattern = re.compile(f"/(?:docker/|docker-){ID}(?:\\.scope)?\\Z")

    def states(self, around: Around) -> Naming:
        return partial(_stated, list(data_roots(around.daemons, around.host)))

    def asked(self, around: Around, left: Left) -> Mapping[str, Named]:
        answers: dict[str, Named] = {}
        for socket in sockets(around.daemons, around.host):
            answers |= _answer(socket, left)
        return answers


def data_roots(daemons: Sequence[Daemon], host: Host) -> Iterator[str]:
    """Where the dockerds keep their state: as each one's command line says, as its settings say, or the default."""
    running = [daemon for daemon in daemons if daemon.program == "dockerd"]
    for daemon in running:
        given = value_of(daemon.words, "--data-root", "-g", "--graph")
        settings = value_of(daemon.words, "--config-file") or f"{host.etc}/docker/daemon.json"
        root = given or _configured(reached(daemon, settings)) or f"{host.lib}/docker"
        yield from dict.fromkeys((reached(daemon, root), root))
    yield _configured(f"{host.etc}/docker/daemon.json") or f"{host.lib}/docker"


def _configured(path: str) -> str:
    settings = document(path, _Settings)
    return (settings.data_root or settings.graph) if settings else ""


def sockets(daemons: Sequence[Daemon], host: Host) -> list[str]:
    """The unix sockets that dockerds listen on."""
    found = []
    for daemon in daemons:
        if daemon.program == "dockerd":
            given = values_of(daemon.words, "-H", "--host")
            found += [_socket(daemon, each.removeprefix("unix://")) for each in given if each.startswith("unix://")]
    return [path for path in dict.fromkeys((*found, f"{host.run}/docker.sock")) if os.path.exists(path)]


def _socket(daemon: Daemon, path: str) -> str:
    """The path itself, unless something else is there: an address has no room for more than 107 bytes."""
    behind = reached(daemon, path)
    try:
        return path if os.path.samefile(path, behind) else behind
    except OSError:
        return behind if os.path.exists(behind) else path


def _stated(roots: Sequence[str], found: Found) -> Named | None:
    _, state = _kept(roots, found)
    if state is None:
        return None
    return Named(pod_name(state.name.removeprefix("/")), state.config.image if state.config else "")


def _kept(roots: Sequence[str], found: Found) -> tuple[str, _State | None]:
    """A container's state, and the data root that it is in."""
    for root in dict.fromkeys((*roots_at(found.rootfs), *roots)):
        state = document(f"{root}/containers/{found.identity.id}/config.v2.json", _State)
        if state is not None:
            return root, state
    return "", None


def origins(around: Around) -> Callable[[Found], Origin]:
    """What tells the origin of a container."""
    return partial(_origin, list(data_roots(around.daemons, around.host)), snapshot_roots(around))


def _origin(roots: Sequence[str], containerds: Sequence[str], found: Found) -> Origin:
    """With a containerd beside it, which keeps its images, Docker's image ID is not that of the config."""
    root, state = _kept(roots, found)
    if state is None:
        return Origin()
    identity, store = found.identity.id, os.path.realpath(root)
    if os.path.exists(f"{root}/image/{state.driver}/layerdb/mounts/{identity}"):
        return Origin(state.image, store=store)
    places = (*snapshot_roots_at(found.rootfs), f"{root}/containerd/daemon", *containerds)
    return Origin(chain=chain_of(places, "moby", state.driver, identity), store=store)


def roots_at(mount: Mount | None) -> list[str]:
    """The data root that a container's own file system lies in."""
    paths = (overlay_options(mount.options).upper or "", mount.root) if mount else ()
    return [match[1] for path in paths if (match := _STORE.match(path) or _DIRECTORY.match(path))]


def _answer(socket: str, left: Left) -> dict[str, Named]:
    found = told(socket, "/containers/json", list[_Listed], left) or []
    return {each.id: Named(pod_name(next(iter(each.names or []), "").removeprefix("/")), each.image) for each in found}


def info(socket: str, left: Left) -> tuple[str, str]:
    """The data root and the driver of the dockerd that listens there; "" where it does not answer."""
    answer = told(socket, "/info", _Info, left) or _Info()
    return answer.docker_root_dir, answer.driver
