"""The directories that an engine's stores may be in, each once, as far as they are there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from memlint.kernel.host import Host


def distinct(paths: Iterable[str], host: Host) -> Iterator[tuple[str, str]]:
    """(the path as its engine has it, the path that leads there) of directories; two ways to one are one."""
    seen = set()
    for path in paths:
        status = _status(path)
        if status is not None and (key := (status.st_dev, status.st_ino)) not in seen:
            seen.add(key)
            yield behind(path, host)[1], path


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def behind(path: str, host: Host) -> tuple[str, str]:
    """The /proc directory of the process whose namespace a path leads into, "" for our own; and the path there."""
    match = re.match(re.escape(host.proc) + r"/\d+(?=/root/)", path)
    return (match[0], path[match.end() + len("/root") :]) if match else ("", path)


def readable(path: str) -> bool:
    return os.access(path, os.R_OK | os.X_OK)


def filled(directory: str) -> bool:
    """Whether there is anything in a directory."""
    try:
        with os.scandir(directory) as found:
            return next(found, None) is not None
    except OSError:
        return False
