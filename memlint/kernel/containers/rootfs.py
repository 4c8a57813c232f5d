"""What is mounted at a container's root → the storage model that tells what it shares. No daemon is asked."""

from __future__ import annotations

import re

from memlint.kernel.mounts import Mount
from memlint.kernel.overlay_options import overlay_options

_OVERLAYS = (
    (re.compile(r"/composefs-layers/"), "composefs"),
    (re.compile(r"/io\.containerd\.snapshotter\.v1\.[a-z]+/snapshots/\d+/fs\Z"), "containerd-overlayfs"),
    (re.compile(r"/snapshotter/snapshots/\d+/fs\Z"), "containerd-overlayfs"),  # stargz, soci: a store of their own
    (re.compile(r"/overlay2/[0-9a-f]+(?:-init)?/diff\Z|/overlay2/l/[0-9A-Z]+\Z"), "overlay2"),
    (re.compile(r"/overlay/[^/]+/diff\d*\Z|/overlay/l/[0-9A-Z]+\Z"), "containers-storage-overlay"),
)
_RELATIVE = {"docker": "overlay2", "podman": "containers-storage-overlay", "cri-o": "containers-storage-overlay"}
_DIRECTORIES = (
    (re.compile(r"/vfs/dir/[^/]+\Z"), "vfs"),
    (re.compile(r"/io\.containerd\.snapshotter\.v1\.native/snapshots/\d+\Z"), "vfs"),
)
_KINDS = {"btrfs": "btrfs", "zfs": "zfs", "fuse.fuse-overlayfs": "fuse-overlayfs"}


def storage_of(mount: Mount, runtime: str) -> str | None:
    """The storage model of a container of that runtime; None where the mount is none that memlint knows."""
    if mount.type == "overlay":
        return _overlay(mount, runtime)
    copied = next((model for pattern, model in _DIRECTORIES if pattern.search(mount.root)), None)
    return copied or _KINDS.get(mount.type) or _device(mount)


def _overlay(mount: Mount, runtime: str) -> str | None:
    """An overlay of so many layers that their paths do not fit is mounted with relative ones."""
    overlay = overlay_options(mount.options)
    paths = [*overlay.lower, *overlay.data, overlay.upper or ""]
    model = next((model for pattern, model in _OVERLAYS if any(map(pattern.search, paths))), None)
    if model is None and all(path and not path.startswith("/") for path in paths):
        return _RELATIVE.get(runtime)
    return model


def _device(mount: Mount) -> str | None:
    """devicemapper gives each container a device, whose directory `rootfs` it runs on."""
    on_mapper = mount.source.startswith(("/dev/mapper/", "/dev/dm-"))
    return "devicemapper" if on_mapper and mount.root == "/rootfs" else None
