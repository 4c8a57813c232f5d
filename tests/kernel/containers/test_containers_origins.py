"""Which image a container was started from, as its engine's files keep it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.hosts import A, B, C, Made, bolt, overlay

from memlint.kernel.containers import running
from memlint.kernel.containers.interface import Origin
from memlint.kernel.containers.origins import origins

META = "io.containerd.metadata.v1.bolt/meta.db"
TASKS = "io.containerd.runtime.v2.task"
CHAIN, ID = f"sha256:{C}", f"sha256:{B}"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def docker(made: Made, root: str, driver: str = "overlay2") -> None:
    made.process(40, f"0::/docker/{A}\n", mounts=overlay(f"{made.top}/{root}/overlay2/{B}/diff"))
    state = {"ID": A, "Name": "/web", "Image": ID, "Driver": driver, "Config": {"Image": "nginx:1"}}
    made.json(f"{root}/containers/{A}/config.v2.json", state)


def docker_on_a_graph_driver(made: Made) -> None:
    docker(made, "d")
    made.file(f"d/image/overlay2/layerdb/mounts/{A}/parent", CHAIN)


def docker_on_a_containerd(made: Made) -> None:
    """Docker's own snapshot, of the files that it puts into a container, is between."""
    docker(made, "d", "overlayfs")
    snapshots = {A: {"parent": f"{A}-init".encode()}, f"{A}-init": {"parent": CHAIN.encode()}}
    made.file(f"lib/containerd/{META}", bolt({"v1": {"moby": {"snapshots": {"overlayfs": snapshots}}}}))


def ctr(made: Made, parent: bytes = CHAIN.encode()) -> None:
    snapshots = f"{made.top}/root/io.containerd.snapshotter.v1.overlayfs/snapshots"
    made.json(f"run/containerd/{TASKS}/default/web/config.json", {})
    made.process(30, "0::/\n", "containerd-shim", ("containerd-shim-runc-v2", "-namespace", "default", "-id", "web"))
    made.process(40, "0::/default/web\n", mounts=overlay(f"{snapshots}/2/fs", f"{snapshots}/1/fs"))
    kept = {"image": b"nginx:1", "snapshotter": b"overlayfs", "snapshotKey": b"web"}
    space = {"containers": {"web": kept}, "snapshots": {"overlayfs": {"web": {"parent": parent}}}}
    made.file(f"root/{META}", bolt({"v1": {"default": space}}))


def ctr_in_a_circle(made: Made) -> None:
    ctr(made, b"web")


def podman(made: Made, images: Any, cgroup: str = f"/machine.slice/libpod-{A}.scope/container") -> None:
    made.process(40, f"0::{cgroup}\n", mounts=overlay(f"{made.top}/s/overlay/{B}/diff"))
    metadata = json.dumps({"image-name": "nginx:1", "name": "web"})
    listed = {"id": A, "names": ["web"], "image": B, "metadata": metadata}
    made.json("s/overlay-containers/containers.json", [listed])
    made.json("s/overlay-images/images.json", images)


def podman_usual(made: Made) -> None:
    podman(made, [{"id": C}, {"id": B, "big-data-names": ["manifest", ID]}])


def podman_without_a_config(made: Made) -> None:
    podman(made, [{"id": B}])


def podman_in_part(made: Made) -> None:
    """An image that was pulled in part has an ID that is not its config's digest."""
    podman(made, [{"id": B, "big-data-names": ["manifest", CHAIN, f"manifest-{ID}"]}])


def crio(made: Made) -> None:
    podman(made, [], f"/kubepods.slice/crio-{A}.scope")


KEPT: dict[str, tuple[Callable[[Made], None], Origin]] = {
    "docker": (docker_on_a_graph_driver, Origin(ID, store="d")),
    "docker on containerd": (docker_on_a_containerd, Origin(chain=CHAIN, store="d")),
    "ctr": (ctr, Origin(chain=CHAIN, store="root (default)")),
    "ctr, damaged": (ctr_in_a_circle, Origin(store="root (default)")),
    "podman": (podman_usual, Origin(ID, store="s")),
    "podman, no config": (podman_without_a_config, Origin(ID, store="s")),
    "podman, pulled in part": (podman_in_part, Origin(CHAIN, store="s")),
    "cri-o": (crio, Origin(ID, store="s")),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_engines_keep(made: Made, case: str) -> None:
    make, wanted = KEPT[case]
    make(made)
    containers, _ = running(made.host)
    (found,) = origins(containers, made.host).values()
    assert found == Origin(wanted.image_id, wanted.chain, f"{made.top}/{wanted.store}")


@pytest.mark.parametrize("cgroup", [f"/docker/{A}", f"/libpod-{A}.scope", f"/crio-{A}", f"/cri-containerd-{A}.scope"])
def test_what_nobody_keeps_is_unknown(made: Made, cgroup: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    made.process(40, f"0::{cgroup}\n")
    containers, _ = running(made.host)
    assert origins(containers, made.host) == {A: Origin()}


def test_what_has_no_image_has_no_origin(made: Made) -> None:
    made.process(40, "0::/lxc.payload.web/init.scope\n")
    containers, _ = running(made.host)
    assert origins(containers, made.host) == {}
