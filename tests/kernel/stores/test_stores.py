"""The stores of made-up hosts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.hosts import A, B, Made, overlay

from memlint.kernel.containers import running
from memlint.kernel.stores import containerd as containerd_stores
from memlint.kernel.stores import containers_storage, stores
from memlint.kernel.stores import docker as docker_stores
from memlint.model.measure import Store

SNAPSHOTTER = "io.containerd.snapshotter.v1."
PULL = "[storage.options.pull_options]\nenable_partial_images = {partial}\nuse_hard_links = {linked}\n"
Making = Callable[[Made], object]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def docker(driver: str, root: str = "lib/docker") -> Making:
    return lambda made: made.file(f"{root}/image/{driver}/layerdb/sha256/{A}/diff")


def private_docker(made: Made) -> None:
    made.process(30, "0::/\n", "dockerd", ("dockerd", "--data-root", f"{made.top}/d", "--storage-driver", "vfs"))
    docker("vfs", "d")(made)


def docker_on_containerd(made: Made) -> None:
    """The image store of containerd, within a dockerd that runs its own."""
    made.file(f"lib/docker/containerd/daemon/{SNAPSHOTTER}overlayfs/snapshots/1/fs/x")


def docker_new(made: Made) -> None:
    """A daemon that has no image yet."""
    made.file("lib/docker/image/overlay2/repositories.json", "{}")


def containerd(snapshotter: str, below: str = "snapshots/1", root: str = "lib/containerd") -> Making:
    return lambda made: made.file(f"{root}/{SNAPSHOTTER}{snapshotter}/{below}/x")


def private_containerd(made: Made) -> None:
    settings = made.file("config.toml", f'root = "{made.top}/c"\n')
    made.process(30, "0::/\n", "containerd", ("containerd", "--config", str(settings)))
    containerd("overlayfs", root="c")(made)


def podman(driver: str = "overlay", settings: str = "", root: str = "lib/containers/storage") -> Making:
    def make(made: Made) -> None:
        made.json(f"{root}/{driver}-layers/layers.json", [{"id": A}])
        if settings:
            made.file("etc/containers/storage.conf", settings)

    return make


def podman_dropped_in(made: Made) -> None:
    podman(settings='[storage.options.overlay]\nmountopt = "nodev"\nuse_composefs = "false"\n')(made)
    made.file("etc/containers/storage.conf.d/10-a.conf", '[storage.options.overlay]\nuse_composefs = "true"\n')


def podman_vendor_settings(made: Made) -> None:
    podman()(made)
    made.file("share/containers/storage.conf", '[storage.options.overlay]\nmountopt = "nodev,metacopy=on"\n')


def podman_of_a_user(made: Made) -> None:
    podman(root="home/.local/share/containers/storage")(made)
    made.file("home/.config/containers/storage.conf", PULL.format(partial='"true"', linked='"true"'))


def podman_by_flag(made: Made) -> None:
    podman()(made)
    made.file("lib/containers/storage/overlay/.has-mount-program", "true")


def podman_by_conmon(made: Made) -> None:
    bundle = f"{made.top}/p/overlay-containers/{A}/userdata"
    made.process(30, "0::/\n", "conmon", ("conmon", "-c", A, "-b", bundle, "--exit-command", "/usr/bin/podman"))
    podman(root="p")(made)


ONE: dict[str, tuple[Making, str, str, str | None, str | None]] = {
    "docker overlay2": (docker("overlay2"), "docker", "overlay2", "overlay2", "layer chain"),
    "docker vfs": (docker("vfs"), "docker", "vfs", "vfs", "container"),
    "docker btrfs": (docker("btrfs"), "docker", "btrfs", "btrfs", "container"),
    "docker zfs": (docker("zfs"), "docker", "zfs", "zfs", "container"),
    "docker devicemapper": (docker("devicemapper"), "docker", "devicemapper", "devicemapper", "container"),
    "docker fuse-overlayfs": (docker("fuse-overlayfs"), "docker", "fuse-overlayfs", "fuse-overlayfs", "container"),
    "docker aufs": (docker("aufs"), "docker", "aufs", None, None),
    "docker private": (private_docker, "docker", "vfs", "vfs", "container"),
    "docker on containerd": (docker_on_containerd, "docker", "overlayfs", "containerd-overlayfs", "layer chain"),
    "docker new": (docker_new, "docker", "overlay2", "overlay2", "layer chain"),
    "containerd": (containerd("overlayfs"), "containerd", "overlayfs", "containerd-overlayfs", "layer chain"),
    "containerd native": (containerd("native"), "containerd", "native", "vfs", "container"),
    "containerd btrfs": (containerd("btrfs", "active/1"), "containerd", "btrfs", "btrfs", "container"),
    "containerd devmapper": (containerd("devmapper", ""), "containerd", "devmapper", "devicemapper", "container"),
    "containerd blockfile": (containerd("blockfile"), "containerd", "blockfile", None, None),
    "containerd private": (private_containerd, "containerd", "overlayfs", "containerd-overlayfs", "layer chain"),
    "podman": (podman(), "containers-storage", "overlay", "containers-storage-overlay", "layer chain"),
    "podman vfs": (podman("vfs"), "containers-storage", "vfs", "vfs", "container"),
    "podman user, hard links": (podman_of_a_user, "containers-storage", "overlay", "hardlinked", "content"),
    "podman composefs": (podman_dropped_in, "containers-storage", "overlay", "composefs", "content"),
    "podman fuse-overlayfs": (
        podman(settings='[storage.options.overlay]\nmount_program = "/usr/bin/fuse-overlayfs"\n'),
        "containers-storage",
        "overlay",
        "fuse-overlayfs",
        "container",
    ),
    "podman fuse-overlayfs, old settings": (
        podman(settings='[storage.options]\nmount_program = "/usr/bin/fuse-overlayfs"\n'),
        "containers-storage",
        "overlay",
        "fuse-overlayfs",
        "container",
    ),
    "podman fuse-overlayfs, by its flag": (
        podman_by_flag,
        "containers-storage",
        "overlay",
        "fuse-overlayfs",
        "container",
    ),
    "podman partial images alone": (
        podman(settings=PULL.format(partial="true", linked="false")),
        "containers-storage",
        "overlay",
        "containers-storage-overlay",
        "layer chain",
    ),
    "podman elsewhere": (
        lambda made: podman(root="p", settings=f'[storage]\ngraphroot = "{made.top}/p"\n')(made),
        "containers-storage",
        "overlay",
        "containers-storage-overlay",
        "layer chain",
    ),
    "podman, by its conmon": (
        podman_by_conmon,
        "containers-storage",
        "overlay",
        "containers-storage-overlay",
        "layer chain",
    ),
    "podman, damaged settings": (
        podman(settings="[storage\n"),
        "containers-storage",
        "overlay",
        "containers-storage-overlay",
        "layer chain",
    ),
}


def only(made: Made) -> Store:
    (store,) = stores(made.host)
    return store


@pytest.mark.parametrize("case", ONE)
def test_a_store(made: Made, case: str) -> None:
    make, *wanted = ONE[case]
    make(made)
    found = only(made)
    assert [found.engine, found.driver, found.storage, found.shared_by] == wanted
    assert found.backing == "ext4"
    nothing = any(f"{found.driver} shares nothing" in warning for warning in found.warnings)
    unknown = any("is not known to memlint" in warning for warning in found.warnings)
    assert (nothing, unknown) == (wanted[3] == "container", wanted[2] is None)


def nothing(_made: Made) -> None:
    pass


def no_snapshots(made: Made) -> None:
    made.file(f"lib/containerd/{SNAPSHOTTER}overlayfs/metadata.db")
    (made.top / f"lib/containerd/{SNAPSHOTTER}overlayfs/snapshots").mkdir()


def no_layers(made: Made) -> None:
    made.json("lib/containers/storage/overlay-layers/layers.json", [])


EMPTY: dict[str, Making] = {"nothing": nothing, "no snapshots": no_snapshots, "no layers": no_layers}


@pytest.mark.parametrize("case", EMPTY)
def test_no_store(made: Made, case: str) -> None:
    EMPTY[case](made)
    assert stores(made.host) == []


def parameters(made: Made, **values: str) -> None:
    for name, value in values.items():
        made.file(f"modules/overlay/parameters/{name}", f"{value}\n")


def test_the_kernel_s_options(made: Made) -> None:
    docker("overlay2")(made)
    parameters(made, metacopy="Y", redirect_dir="N", index="N")
    assert only(made).options == {"metacopy": "on", "redirect_dir": "off", "index": "off"}


def test_a_mount_s_options_count_more(made: Made) -> None:
    podman()(made)
    parameters(made, metacopy="N", index="N")
    upper = f"{made.top}/lib/containers/storage/overlay/{B}/diff"
    made.process(40, f"0::/libpod-{A}\n", mounts=overlay(upper).replace("rw,lower", "rw,metacopy=on,volatile,lower"))
    (store,) = stores(made.host, containers=running(made.host)[0])
    assert store.options == {"metacopy": "on", "index": "off"}


def test_what_copies_has_no_options_of_overlays(made: Made) -> None:
    docker("vfs")(made)
    parameters(made, metacopy="Y")
    assert only(made).options == {}


def test_settings_are_options(made: Made) -> None:
    podman_vendor_settings(made)
    assert only(made).options == {"mountopt": "nodev,metacopy=on"}


def test_settings_of_another_store_do_not_count(made: Made) -> None:
    podman_by_conmon(made)
    made.file("etc/containers/storage.conf", '[storage.options.overlay]\nmount_program = "/usr/bin/fuse-overlayfs"\n')
    assert only(made).storage == "containers-storage-overlay"


def test_a_store_that_a_container_runs_on(made: Made) -> None:
    made.process(40, f"0::/docker/{A}\n", mounts=overlay(f"{made.top}/d/overlay2/{B}/diff"))
    docker("overlay2", "d")(made)
    assert stores(made.host) == []
    (store,) = stores(made.host, containers=running(made.host)[0])
    assert store.root == f"{made.top}/d"


def test_a_store_that_may_not_be_read(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mounts of its containers tell what it shares."""
    made.process(40, f"0::/docker/{A}\n", mounts=overlay(f"{made.top}/d/overlay2/{B}/diff"))
    made.process(41, f"0::/libpod-{B}\n", mounts=f"1 0 254:0 {made.top}/p/vfs/dir/{B} / rw - ext4 /dev/vda rw\n")
    for root in ("d", "p", "lib/containerd"):
        (made.top / root).mkdir(parents=True)
    containers, _ = running(made.host)
    for module in (docker_stores, containerd_stores, containers_storage):
        monkeypatch.setattr(module, "readable", lambda _path: False)
    found = stores(made.host, containers=containers)
    assert [(each.engine, each.driver, each.storage) for each in found] == [
        ("docker", "unknown", "overlay2"),
        ("containerd", "unknown", None),
        ("containers-storage", "unknown", "vfs"),
    ]
    assert all("run memlint as root" in each.warnings[0] for each in found)


def test_a_dockerd_in_a_container_has_one_store(made: Made) -> None:
    home = made.process(30, "0::/\n", "dockerd", ("dockerd", "--data-root", "/d"))
    (home / "root").unlink()
    (home / "root").symlink_to(made.top / "inner")
    (home / "mountinfo").write_text("1 0 0:9 / / rw - ext4 /dev/vda rw\n2 1 0:99 / /d rw - tmpfs none rw\n")
    docker("overlay2", "inner/d")(made)
    assert (only(made).root, only(made).backing) == ("/d", "tmpfs")


def test_stores_do_not_share_with_each_other(made: Made) -> None:
    docker("overlay2")(made)
    containerd("overlayfs")(made)
    first, second = stores(made.host)
    assert any("share no page" in each and "containerd overlayfs" in each for each in first.warnings)
    assert any("share no page" in each and "docker overlay2" in each for each in second.warnings)


def test_remapped_users_split_docker_s_store(made: Made) -> None:
    docker("overlay2")(made)
    docker("overlay2", "lib/docker/165536.165536")(made)
    plain, remapped = stores(made.host)
    assert remapped.root == f"{plain.root}/165536.165536"
    assert any("userns-remap" in each for each in remapped.warnings)
    assert not any("userns-remap" in each for each in plain.warnings)


def test_mapped_copies_split_podman_s_images(made: Made) -> None:
    podman()(made)
    made.json("lib/containers/storage/overlay-images/images.json", [{"id": A, "mapped-layers": [B]}])
    assert any("copies for mappings" in each for each in only(made).warnings)


def test_sharing_by_content_is_not_all(made: Made) -> None:
    podman_of_a_user(made)
    assert any("zstd:chunked" in each for each in only(made).warnings)


def test_a_hostile_setting_steers_no_terminal(made: Made) -> None:
    podman(settings=f"[storage.options.overlay]\nmountopt = {json.dumps(chr(27) + '[2J')}\n")(made)
    assert all(value.isprintable() for value in only(made).options.values())
