"""containerd: the bundles of its tasks, its database, and `ctr`. Kubernetes, nerdctl and `ctr` itself run on it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from memlint.kernel.containers.asking import Left, said
from memlint.kernel.containers.bolt import bucket
from memlint.kernel.containers.census import reached, value_of
from memlint.kernel.containers.cgroups import ID
from memlint.kernel.containers.containers_storage import cri_answer
from memlint.kernel.containers.interface import POD, Around, Daemon, Found, Named, Naming, Origin, Supervisor
from memlint.kernel.host import Host, document, entries, text_or_none
from memlint.kernel.mounts import Mount
from memlint.kernel.overlay_options import overlay_options

TASKS = "io.containerd.runtime.v2.task"
_DATABASE = "io.containerd.metadata.v1.bolt/meta.db"
_SNAPSHOT = re.compile(r"(/.+)/io\.containerd\.snapshotter\.v1\.[a-z]+/")
_HEX = re.compile(f"{ID}\\Z")
_CHAIN = re.compile(f"sha256:{ID}\\Z")
_PARENTS = 4
"""Snapshots between that of a container and the last of its image: Docker has one, for the files that it puts in."""
_CRI = "io.kubernetes.cri."
_LABELS = "io.kubernetes."


class _Bundle(msgspec.Struct):
    annotations: dict[str, str] | None = None


class Containerd:
    """Containers of containerd, except those that it runs for Docker."""

    name = "containerd"
    pattern = re.compile(f"/(?:cri-containerd-|nerdctl-|[^/]*:cri-containerd:){ID}(?:\\.scope)?\\Z")

    def states(self, around: Around) -> Naming:
        tasks = _tasks(around)
        return partial(_stated, tasks, list(roots(around.daemons, around.host)))

    def asked(self, around: Around, left: Left) -> Mapping[str, Named]:
        asked = {
            (address, each.namespace)
            for each in around.supervisors
            if each.runtime == self.name and (address := _address(each))
        }
        answers: dict[str, Named] = {}
        for address, namespace in sorted(asked):
            answers |= _answer(address, namespace, left)
        return answers | (cri_answer(left) if any(namespace == "k8s.io" for _, namespace in asked) else {})


def _address(supervisor: Supervisor) -> str:
    """The socket that a shim reports to, "" where it cannot be reached: `ctr` would wait for it."""
    ways = (supervisor.address, supervisor.root + supervisor.address)
    return next((way for way in ways if supervisor.address and os.path.exists(way)), "")


def roots(daemons: Sequence[Daemon], host: Host) -> Iterator[str]:
    """Where the containerds keep their state: as each one's settings say, or the default."""
    for daemon in daemons:
        if daemon.program == "containerd":
            file = value_of(daemon.words, "-c", "--config") or f"{host.etc}/containerd/config.toml"
            root = value_of(daemon.words, "--root") or _configured(reached(daemon, file)) or f"{host.lib}/containerd"
            yield from dict.fromkeys((reached(daemon, root), root))
    yield _configured(f"{host.etc}/containerd/config.toml") or f"{host.lib}/containerd"


def _configured(path: str) -> str:
    import tomli  # only where a containerd is looked for

    try:
        root = tomli.loads(text_or_none(path) or "").get("root")
    except (tomli.TOMLDecodeError, RecursionError):
        return ""
    return root if isinstance(root, str) else ""


def _tasks(around: Around) -> list[tuple[str, str]]:
    """(namespace, directory of its tasks): beside those of the shims, and the default ones."""
    default = f"{around.host.run}/containerd/{TASKS}"
    found = [(each.namespace, f"{each.bundle}/..") for each in around.supervisors if each.namespace and each.bundle]
    return [*found, *((namespace, f"{default}/{namespace}") for namespace in entries(default))]


def _stated(tasks: Sequence[tuple[str, str]], usual: Sequence[str], found: Found) -> Named | None:
    identity = found.identity.id
    task = next((task for task in tasks if os.path.isdir(f"{task[1]}/{identity}")), None)
    if task is None:
        return None if _HEX.match(identity) or found.identity.runtime != Containerd.name else Named(identity)
    namespace, directory = task
    bundle = document(f"{directory}/{identity}/config.json", _Bundle)
    told = _annotated((bundle.annotations if bundle else None) or {})
    if told.name and told.image:
        return told
    kept = _kept((*roots_at(found.rootfs), *usual), namespace, identity)
    return Named(told.name or kept.name or ("" if _HEX.match(identity) else identity), told.image or kept.image)


def _annotated(annotations: Mapping[str, str]) -> Named:
    """As the CRI plugin, or nerdctl, annotates a container's bundle."""
    sandbox = annotations.get(f"{_CRI}container-type") == "sandbox"
    name = POD if sandbox else annotations.get(f"{_CRI}container-name", "")
    pod = (annotations.get(f"{_CRI}sandbox-namespace", ""), annotations.get(f"{_CRI}sandbox-name", ""))
    full = "/".join((*filter(None, pod), name)) if name else annotations.get("nerdctl/name", "")
    image = annotations.get(f"{_CRI}image-name", "") or annotations.get(f"{_CRI}podsandbox.image-name", "")
    return Named(full, image)


def _kept(places: Sequence[str], namespace: str, identity: str) -> Named:
    """What containerd's database has of the container."""
    for root in dict.fromkeys(places):
        path = f"{root}/{_DATABASE}"
        place = ("v1", namespace, "containers", identity)
        if values := bucket(path, place):
            labels = {key: value.decode("utf-8", "replace") for key, value in bucket(path, (*place, "labels")).items()}
            return Named(_labelled(labels), values.get("image", b"").decode("utf-8", "replace"))
    return Named()


def origins(around: Around) -> Callable[[Found], Origin]:
    """What tells the origin of a container."""
    return partial(_origin, _tasks(around), snapshot_roots(around))


def snapshot_roots(around: Around) -> list[str]:
    """The roots of the containerds of this host."""
    return list(roots(around.daemons, around.host))


def _origin(tasks: Sequence[tuple[str, str]], usual: Sequence[str], found: Found) -> Origin:
    """An image is but a name here, which may be another's by now: the snapshot's parents are what was started."""
    identity = found.identity.id
    namespace = next((each for each, directory in tasks if os.path.isdir(f"{directory}/{identity}")), "")
    for root in dict.fromkeys((*roots_at(found.rootfs), *usual)):
        kept = bucket(f"{root}/{_DATABASE}", ("v1", namespace, "containers", identity))
        if kept:
            snapshotter, key = (
                kept.get(name, b"").decode("utf-8", "replace") for name in ("snapshotter", "snapshotKey")
            )
            store = f"{os.path.realpath(root)} ({namespace})"
            return Origin(chain=chain_of((root,), namespace, snapshotter, key), store=store)
    return Origin()


def chain_of(places: Sequence[str], namespace: str, snapshotter: str, key: str) -> str:
    """The chain ID that a container's snapshot stands on, with few of its own between at the most; "" if unknown."""
    for root in dict.fromkeys(places):
        name = key
        for _ in range(_PARENTS):
            place = ("v1", namespace, "snapshots", snapshotter, name)
            name = bucket(f"{root}/{_DATABASE}", place).get("parent", b"").decode("utf-8", "replace")
            if _CHAIN.match(name):
                return name
            if not name:
                break
    return ""


def _labelled(labels: Mapping[str, str]) -> str:
    if name := labels.get("nerdctl/name", ""):
        return name
    name = POD if labels.get("io.cri-containerd.kind") == "sandbox" else labels.get(f"{_LABELS}container.name", "")
    pod = (labels.get(f"{_LABELS}pod.namespace", ""), labels.get(f"{_LABELS}pod.name", ""))
    return "/".join((*filter(None, pod), name)) if name else ""


def roots_at(mount: Mount | None) -> list[str]:
    """Where the containerd keeps its state that holds the snapshots which a container runs on."""
    if mount is None:
        return []
    overlay = overlay_options(mount.options)
    paths = (overlay.upper or "", *overlay.lower, mount.root)
    return [match[1] for path in paths if (match := _SNAPSHOT.match(path))][:1]


def _answer(address: str, namespace: str, left: Left) -> dict[str, Named]:
    """`ctr` lists ID, IMAGE and RUNTIME, and "-" for no image."""
    answer = said(("ctr", "--address", address, "--namespace", namespace, "containers", "list"), left) or b""
    rows = [line.split() for line in answer.decode("utf-8", "replace").splitlines()[1:]]
    return {row[0]: _listed(row[0], row[1]) for row in rows if len(row) == 3}


def _listed(identity: str, image: str) -> Named:
    return Named("" if _HEX.match(identity) else identity, "" if image == "-" else image)
