"""An image as a container sees it: every file, and the config. Nothing of memlint's is in the count."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .counting import layer_directories, mounted
from .daemons import Daemon

CONFIG = ("User Env Entrypoint Cmd WorkingDir ExposedPorts Labels Volumes StopSignal Shell Healthcheck OnBuild").split()
_LEFT = re.compile(
    r"var/log/.*"  # when what was installed
    r"|var/cache/(?:apt/.*|debconf/.*|ldconfig/aux-cache)"  # caches, with times and inodes in them
    r"|var/lib/dpkg/(?:status|status-old|lock.*|triggers/Lock)|var/lib/apt/extended_states"  # in the order of installs
)
"""What an installation leaves behind and a container does not look at."""
_PYC_HEADER = 16
_digests: dict[tuple[int, ...], str] = {}


class Entry(NamedTuple):
    """Type, mode and owner of a file, and its content: a digest, or where a link leads."""

    type: int
    mode: int
    uid: int
    gid: int
    content: str


class Whole(NamedTuple):
    """All that an image is."""

    files: Mapping[str, Entry]
    config: Mapping[str, object]


def whole(daemon: Daemon, image: str) -> Whole:
    """The image of this name."""
    with mounted(layer_directories(daemon, image), daemon.home / "whole") as root:
        files = {path: _entry(root / path) for path in _paths(root) if not _LEFT.fullmatch(path)}
    config = json.loads(daemon.docker("image", "inspect", "--format={{json .Config}}", image))
    return Whole(files, {key: config.get(key) or None for key in CONFIG})


def changed(before: Whole, after: Whole, *, more: bool = False) -> list[str]:
    """What is not as it was; `more` allows files that were not there."""
    files = [
        f"{path}: {before.files.get(path)} → {after.files.get(path)}"
        for path in sorted({*before.files, *after.files})
        if before.files.get(path) != after.files.get(path) and not (more and path not in before.files)
    ]
    return [
        *files,
        *(
            f"{key}: {before.config[key]} → {after.config[key]}"
            for key in CONFIG
            if before.config[key] != after.config[key]
        ),
    ]


def _paths(root: Path) -> Iterator[str]:
    for directory, directories, names in os.walk(root):
        for name in (*directories, *names):
            yield str(Path(directory, name).relative_to(root))


def _entry(path: Path) -> Entry:
    status = path.lstat()
    kind, content = stat.S_IFMT(status.st_mode), ""
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        # the same inode of one layer is in many images
        key = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if key not in _digests:
            # compiled Python begins with the time of its source, or where SOURCE_DATE_EPOCH is set with its hash
            data = path.read_bytes()[_PYC_HEADER if path.suffix == ".pyc" else 0 :]
            _digests[key] = hashlib.sha256(data).hexdigest()
        content = _digests[key]
    return Entry(kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, content)
