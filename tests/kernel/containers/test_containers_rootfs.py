"""What is mounted at containers' roots, as it really is → what the store shares."""

from __future__ import annotations

import pytest
from support.hosts import A, overlay

from memlint.kernel.containers.rootfs import storage_of
from memlint.kernel.mounts import mounts, top_mount

SNAPSHOTS = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots"
LONG = "0:39 / / rw,relatime - overlay overlay rw,lowerdir"
CASES = {
    "docker overlay2": (
        overlay(f"/var/lib/docker/overlay2/{A}/diff", "/var/lib/docker/overlay2/l/ABC"),
        "docker",
        "overlay2",
    ),
    "docker overlay2, remapped": (overlay(f"/var/lib/docker/165536.165536/overlay2/{A}/diff"), "docker", "overlay2"),
    "docker overlay2, its own root": (overlay(f"/srv/d/overlay2/{A}/diff"), "docker", "overlay2"),
    "docker overlay2, many layers": (
        f"1 0 {LONG}=l/AB:l/CD,upperdir={A}/diff,workdir={A}/work\n",
        "docker",
        "overlay2",
    ),
    "docker on containerd": (
        overlay("/var/lib/docker/containerd/daemon/io.containerd.snapshotter.v1.overlayfs/snapshots/9/fs"),
        "docker",
        "containerd-overlayfs",
    ),
    "containerd": (
        overlay(f"{SNAPSHOTS}/9/fs", f"{SNAPSHOTS}/8/fs:{SNAPSHOTS}/7/fs"),
        "containerd",
        "containerd-overlayfs",
    ),
    "k3s": (
        overlay("/var/lib/rancher/k3s/agent/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/9/fs"),
        "containerd",
        "containerd-overlayfs",
    ),
    "containerd, stargz": (
        overlay("/var/lib/containerd-stargz-grpc/snapshotter/snapshots/9/fs"),
        "containerd",
        "containerd-overlayfs",
    ),
    "containerd, native": (
        "1 0 254:0 /var/lib/containerd/io.containerd.snapshotter.v1.native/snapshots/3 / rw - ext4 /dev/vda rw\n",
        "containerd",
        "vfs",
    ),
    "podman overlay": (
        overlay(f"/var/lib/containers/storage/overlay/{A}/diff", "/var/lib/containers/storage/overlay/l/ABC"),
        "podman",
        "containers-storage-overlay",
    ),
    "podman overlay, rootless": (
        overlay(f"/home/u/.local/share/containers/storage/overlay/{A}/diff"),
        "podman",
        "containers-storage-overlay",
    ),
    "podman overlay, many layers": (
        f"1 0 {LONG}=l/AB:l/CD,upperdir={A}/diff,workdir={A}/work\n",
        "podman",
        "containers-storage-overlay",
    ),
    "podman overlay, a layer per option": (
        f"1 0 {LONG}+=/s/overlay/l/AB,lowerdir+=/s/overlay/l/CD\n",
        "podman",
        "containers-storage-overlay",
    ),
    "podman composefs": (
        overlay(f"/s/overlay/{A}/diff", f"/s/overlay/{A}/composefs-layers/1::/s/overlay/{A}/diff1"),
        "podman",
        "composefs",
    ),
    "fuse-overlayfs": (
        "1 0 0:50 / / rw,nodev - fuse.fuse-overlayfs fuse-overlayfs rw,user_id=0,group_id=0,allow_other\n",
        "podman",
        "fuse-overlayfs",
    ),
    "vfs": (f"1 0 254:0 /var/lib/docker/vfs/dir/{A} / rw - ext4 /dev/vda rw\n", "docker", "vfs"),
    "vfs on btrfs": (f"1 0 0:28 /@/docker/vfs/dir/{A} / rw - btrfs /dev/vdb rw,subvol=/@\n", "docker", "vfs"),
    "btrfs": (f"1 0 0:28 /btrfs/subvolumes/{A} / rw - btrfs /dev/loop0 rw,subvolid=260\n", "docker", "btrfs"),
    "zfs": (f"1 0 0:44 / / rw - zfs rpool/docker/{A} rw,xattr\n", "docker", "zfs"),
    "devicemapper": ("1 0 253:3 /rootfs / rw - xfs /dev/mapper/docker-8:1-130-abc rw\n", "docker", "devicemapper"),
    "a directory": ("1 0 254:0 /srv/rootfs / rw - ext4 /dev/vda rw\n", "podman", None),
    "an overlay of one's own": (overlay("/srv/upper", "/srv/lower"), "lxc", None),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_shared(name: str) -> None:
    lines, runtime, wanted = CASES[name]
    mount = top_mount(mounts(lines.encode()).values(), "/")
    assert mount is not None
    assert storage_of(mount, runtime) == wanted
