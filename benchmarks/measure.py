"""`memlint measure` of 200 sleeping processes of 300 file mappings each, as people call it, against smem on the same.

    python benchmarks/measure.py [--processes N] [--mappings N] [--rounds N]

Run as root, which frames want. Each process maps ranges of its own, of 1 to 32 pages, of this machine's largest
libraries and reads every page, so that no two look alike. smem tells RSS, PSS and USS of each; the whole of the command
`memlint measure`, from its start to the JSON, these and each page's frame, each file's digest and what is there twice,
beside the host's containers and their stores.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from racing import MEMLINT, Contestant, header, race, row, title, verdict

NAME = "memlint-sleeper"
FILES = 40
LARGEST = 32  # pages of a mapping
ALLOWED = 3.0  # seconds of one core
INSTALLED = {"PYTHONDONTWRITEBYTECODE": ""}


def libraries() -> list[Path]:
    """The largest shared libraries of this machine."""
    found = {path.resolve() for path in Path("/usr/lib").rglob("*.so*") if path.is_file()}
    return sorted(found, key=lambda path: (-path.stat().st_size, path))[:FILES]


def sleep_mapped(number: int, mappings: int, files: list[Path]) -> None:
    """Map ranges, read them, and sleep; never returns."""
    chance = random.Random(number)  # noqa: S311 - wanted: the same at every run
    kept = []
    for _ in range(mappings):
        path = chance.choice(files)
        pages = path.stat().st_size // mmap.PAGESIZE
        count = min(pages, chance.randint(1, LARGEST))
        first = chance.randint(0, pages - count)
        with path.open("rb") as file:
            area = mmap.mmap(
                file.fileno(), count * mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ, offset=first * mmap.PAGESIZE
            )
        kept.append((area, sum(area[:: mmap.PAGESIZE])))
    os.write(1, b".")
    while True:
        signal.pause()


@contextmanager
def sleepers(processes: int, mappings: int) -> Iterator[list[int]]:
    """The PIDs of processes that have mapped everything."""
    files = libraries()
    read, write = os.pipe()
    pids = []
    try:
        for number in range(processes):
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, __file__, "--sleep", str(number), "--mappings", str(mappings), NAME, *map(str, files)],
                dict(os.environ),
                file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
            )
            pids.append(pid)
            assert os.read(read, 1) == b"."
        yield pids
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def command(pids: list[int]) -> tuple[str, ...]:
    """memlint's call."""
    return *MEMLINT, "measure", "--pid", ",".join(map(str, pids)), "--format", "json"


def answer(pids: list[int]) -> str:
    """What there is to see, once all of it is seen; modules are compiled by then, as an installer does it."""
    found = json.loads(
        subprocess.run(command(pids), env={**os.environ, **INSTALLED}, capture_output=True, check=True).stdout
    )
    assert sum(each["file_pages_bytes"] is not None for each in found["processes"]) == len(pids), found["unseen"]
    cost, held = found["cost"], found["totals"]["file_pages_bytes"]
    return f"{len(pids)} processes, {cost['mappings']} mappings, {cost['pages']} pages in {held} bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description="a look at many processes of many mappings")
    parser.add_argument("--processes", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--mappings", type=int, default=300, help="of each process (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="runs (default: %(default)s)")
    parser.add_argument("--sleep", type=int, help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.sleep is not None:
        sleep_mapped(arguments.sleep, arguments.mappings, [Path(path) for path in arguments.rest[1:]])
    if os.geteuid() != 0:
        sys.exit("page frames are shown to root alone: run as root")
    with sleepers(arguments.processes, arguments.mappings) as pids:
        seen = answer(pids)
        memlint = Contestant("memlint", (*command(pids), "--output-file", os.devnull), INSTALLED)
        smem = Contestant("smem", ("smem", "-P", NAME))
        contestants = [memlint, *([smem] if shutil.which("smem") else [])]
        results = race(contestants, arguments.rounds)
    header("msgspec", "blake3")
    title(f"{arguments.processes} processes of {arguments.mappings} file mappings; ratio: of smem's CPU seconds")
    own = results["memlint"]
    other = results.get("smem")
    print(f"  {seen}")
    row("memlint measure: these, frames, duplicates", own, own.cpu / other.cpu if other else None, 1.0)
    if other:
        row("smem: RSS, PSS, USS", other)
    else:
        print("  smem is not there (Debian's package smem)")
    print(f"  memlint's CPU seconds: {own.cpu:.2f}  {verdict(own.cpu, at_most=ALLOWED)}")


if __name__ == "__main__":
    main()
