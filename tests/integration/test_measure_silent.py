"""Looks of one exporter at a file system whose program is stopped: waited for once, within the time of the look."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.waiting import until

from .daemons import need
from .measuring import measure
from .test_measure_bad import mapping

pytestmark = pytest.mark.integration


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[int]:
    """A process that maps a file of a file system that does not answer any more."""
    need("fuse-overlayfs", "umount")
    lower, merged = tmp_path / "lower", tmp_path / "merged"
    for directory in (lower, merged):
        directory.mkdir()
    (lower / "x").write_bytes(b"x" * 8192)
    command = ["fuse-overlayfs", "-f", "-o", f"lowerdir={lower}", str(merged)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until((merged / "x").exists, lambda: "not mounted")
            with mapping(merged / "x") as pid:
                server.send_signal(signal.SIGSTOP)
                yield pid
                server.send_signal(signal.SIGCONT)
        finally:
            server.send_signal(signal.SIGCONT)
            subprocess.run(["umount", "--lazy", str(merged)], check=True)
            server.terminate()


@contextmanager
def exporter(*arguments: str) -> Iterator[tuple[int, str]]:
    """Its process, and where its metrics are."""
    command = [sys.executable, "-m", "memlint", "exporter", "--listen", "127.0.0.1:0", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process.pid, process.stderr.readline().split()[-1]
        finally:
            process.kill()


def held(pid: int) -> tuple[int, int]:
    """Threads and open files."""
    return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))


def looks(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(memlint_\w+) (\S+)$", text, re.MULTILINE)}


def test_the_time_of_a_look_is_that_of_whom_it_waits_for(stopped: int) -> None:
    report = measure("--pid", str(stopped), "--max-seconds", "2")
    assert "its file system does not answer" in {each["reason"] for each in report["unseen"]}
    assert report["cost"]["wall_seconds"] < 10, "which is waited for where there is more time"


def test_an_exporter_leaves_one_thread_behind_however_often_it_looks(stopped: int) -> None:
    with exporter("--all", "--interval", "0.001", "--max-seconds", "10") as (pid, url):
        first = looks(url)
        left = until(lambda: alone(pid), lambda: str(held(pid)))
        for _ in range(3):
            time.sleep(0.01)
            again = looks(url)
        assert again["memlint_exporter_looks_total"] > first["memlint_exporter_looks_total"]
        assert until(lambda: alone(pid), lambda: str(held(pid))) == left


def alone(pid: int) -> tuple[int, int] | None:
    """What the exporter holds while it does not look: its own thread, and the one that waits for an answer."""
    threads, files = held(pid)
    return (threads, files) if threads == 2 else None
