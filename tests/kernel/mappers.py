"""Processes of the tests' own that map files, and a count of their frames that shares no code with memlint's."""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.waiting import until

from memlint.kernel.counting import measurement
from memlint.kernel.namespaces import kernel
from memlint.kernel.residency import Container, Residency, Sight
from memlint.model.measure import Cost, Measurement

PAGE = os.sysconf("SC_PAGE_SIZE")

_MAP = """
import mmap, sys
kept = []
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        area = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
    kept.append((area, sum(area[::mmap.PAGESIZE])))
"""
_EXIT = {"x86_64": 60}.get(platform.machine(), 93)
"""exit(2), of one thread; the C library's exit ends them all."""
_WAIT = """
print("ready", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Mapper:
    """A process that has mapped files and reads every page of them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._process = process

    def do(self, code: str) -> None:
        """Have it run a line of Python."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(code + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def leave(self, code: str) -> None:
        """Have it run a line that starts threads, and then its main thread end: wait until that has."""
        self.do(code)
        assert self._process.stdin is not None
        self._process.stdin.write("ctypes.CDLL(None).syscall(_EXIT, 0)\n".replace("_EXIT", str(_EXIT)))
        self._process.stdin.flush()
        until(lambda: ") Z " in Path(f"/proc/{self.pid}/stat").read_text(), lambda: f"{self.pid} has not ended")


@contextmanager
def mapper(*files: Path | str, program: str = sys.executable) -> Iterator[Mapper]:
    """A process that maps the files whole; it ends with the context."""
    command = [program, "-S", "-c", _MAP + _WAIT, *map(str, files)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Mapper(process)
        finally:
            process.kill()


def container(*pids: int, name: str = "c") -> Container:
    return Container(name * 64, name, "image", "docker", "overlay2", f"/{name}", pids)


def figures(sight: Sight) -> Measurement:
    return measurement(sight, kernel=kernel(), stores=(), cost=Cost(0, 0, 0, 0, 1))


def of(sight: Sight, path: Path | str) -> list[Residency]:
    return [each for each in sight.residencies if each.file.path == str(path)]


def evict(path: Path) -> None:
    """None of it is in the page cache any more."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def random_file(path: Path, pages: int, seed: int = 0) -> Path:
    path.write_bytes(random.Random(seed).randbytes(pages * PAGE))  # noqa: S311 - wanted: the same at every run
    return path
