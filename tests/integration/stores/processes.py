"""Plain processes and mounts of a test's own, gone when it is."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.lacking import lacking

from .container import wait_until_asleep

SLEEP = Path("/usr/bin/sleep")


@contextmanager
def asleep(*command: str | Path, called: str = "sleep") -> Iterator[int]:
    """The process of a command that sleeps, by its pid."""
    with subprocess.Popen([*map(str, command), "1000000"], stdin=subprocess.DEVNULL) as process:
        try:
            wait_until_asleep(process.pid, called)
            yield process.pid
        finally:
            process.kill()


@contextmanager
def mounted(target: Path, *arguments: str) -> Iterator[Path]:
    """`mount ARGUMENTS TARGET`."""
    target.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(target)], capture_output=True, text=True)
    if done.returncode != 0:
        lacking(f"mount {' '.join(arguments)}: {done.stderr}")
    try:
        yield target
    finally:
        _unmount(target)


def _unmount(target: Path) -> None:
    """A process that was just killed may still hold it."""
    for _ in range(100):
        done = subprocess.run(["umount", str(target)], capture_output=True, text=True)
        if done.returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(done.stderr)


@contextmanager
def overlay(place: Path, lower: str | Path, *options: str) -> Iterator[Path]:
    """An overlay of `lower` and an upper directory, both in `place`."""
    for name in ("upper", "work"):
        (place / name).mkdir(parents=True)
    parts = [f"lowerdir={lower}", f"upperdir={place}/upper", f"workdir={place}/work", *options]
    with mounted(place / "merged", "-t", "overlay", "overlay", "-o", ",".join(parts)) as merged:
        yield merged


def program_in(directory: Path) -> Path:
    """A copy of sleep, with an inode of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy2(SLEEP, directory / "sleep"))
