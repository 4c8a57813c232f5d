"""Processes of the tests' own that map files, and a count of their frames that shares no code with memlint's."""

from __future__ import annotations

import hashlib
import os
import random
import struct
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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


def naive(pids: Sequence[int]) -> tuple[int, int]:
    """(distinct frames, distinct pages by content) of the files with a name that processes map."""
    frames = set()
    pages: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for pid in pids:
        with open(f"/proc/{pid}/pagemap", "rb") as pagemap:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                fields = line.split(maxsplit=5)
                if len(fields) < 6 or not fields[5].startswith("/"):
                    continue
                start, end = (int(part, 16) for part in fields[0].split("-"))
                content = hashlib.sha256(Path(fields[5]).read_bytes()).hexdigest()
                pagemap.seek(start // PAGE * 8)
                for number in range((end - start) // PAGE):
                    (entry,) = struct.unpack("Q", pagemap.read(8))
                    if entry >> 63 & 1 and entry >> 61 & 1:
                        frame = entry & ((1 << 55) - 1)
                        frames.add(frame)
                        pages[content, int(fields[2], 16) // PAGE + number].add(frame)
    return len(frames), len(pages)


def container(*pids: int, name: str = "c") -> Container:
    return Container(name * 64, name, "image", "docker", "overlay2", f"/{name}", pids)


def figures(sight: Sight) -> Measurement:
    return measurement(sight, kernel=kernel(), stores=(), cost=Cost(0, 0, 0, 0, 1))


def of(sight: Sight, path: Path | str) -> list[Residency]:
    return [each for each in sight.residencies if each.file.path == str(path)]


def random_file(path: Path, pages: int, seed: int = 0) -> Path:
    path.write_bytes(random.Random(seed).randbytes(pages * PAGE))  # noqa: S311 - wanted: the same at every run
    return path
