"""Runs commands in turn and keeps the best of each: what the benchmarks share."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
MEMLINT = (sys.executable, "-m", "memlint")
MB = 1_000_000
BUSY = 0.15  # cores that others may take before the figures are doubted


@dataclass(frozen=True)
class Contestant:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """Of several runs of one contestant: wall seconds, CPU seconds of the fastest run, largest RSS."""

    seconds: float
    median: float
    cpu: float
    rss: int

    def __add__(self, other: Result) -> Result:
        """One after the other."""
        return Result(
            self.seconds + other.seconds,
            self.median + other.median,
            self.cpu + other.cpu,
            max(self.rss, other.rss),
        )


def total(results: Sequence[Result]) -> Result:
    return sum(results[1:], start=results[0])


def run(contestant: Contestant) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and peak RSS of one process and the children that it waited for.

    The kernel counts the forking process's own RSS into the child's peak, so this program stays small.
    """
    environment = {**os.environ, **contestant.environment}
    with tempfile.TemporaryFile() as errors:
        start = perf_counter()
        process = subprocess.Popen(
            contestant.command, stdout=subprocess.DEVNULL, stderr=errors, env=environment, cwd=ROOT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.stderr.write(errors.read().decode(errors="replace"))
            command = shlex.join(contestant.command)
            sys.exit(f"{contestant.name} failed with status {process.returncode}: {command}")
    in_bytes = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * in_bytes


def race(contestants: Sequence[Contestant], rounds: int) -> dict[str, Result]:
    """Every contestant once per round, in turn, so that a slow moment of the machine meets all of them."""
    runs: dict[str, list[tuple[float, float, int]]] = {each.name: [] for each in contestants}
    start, idle, own = perf_counter(), idle_seconds(), sum(os.times()[:4])
    for number in range(rounds):
        for each in contestants:
            progress(f"round {number + 1} of {rounds}: {each.name}")
            runs[each.name].append(run(each))
    progress("")
    if idle is not None:
        cores, wall = os.cpu_count() or 1, perf_counter() - start
        others = cores - ((idle_seconds() or 0) - idle + sum(os.times()[:4]) - own) / wall
        if others > BUSY:
            print(f"\nbeware: other programs took {others:.1f} of {cores} cores meanwhile")
    results = {}
    for name, each_run in runs.items():
        seconds, cpu, _ = min(each_run)
        walls = [run[0] for run in each_run]
        results[name] = Result(seconds, median(walls), cpu, max(run[2] for run in each_run))
    return results


def idle_seconds() -> float | None:
    """What this machine's cores have idled away so far, all together; None where nobody says."""
    try:
        fields = Path("/proc/stat").read_text().split(maxsplit=6)
    except OSError:
        return None
    return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def header(*distributions: str) -> None:
    """What the figures depend on."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parts = [
        f"{cpus} cores",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
    ]
    print(", ".join(parts + [f"{name} {version_of(name)}" for name in distributions]))


def version_of(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "(none)"


def title(text: str, figure: str = "seconds") -> None:
    print(f"\n{text}\n  {'':44} {figure:>8} {'CPU s':>7} {'RSS MB':>7} {'ratio':>7}  target")


def row(name: str, result: Result, ratio: float | None = None, at_most: float | None = None) -> None:
    """One line of a table; ratios are of seconds, and small is good."""
    line = f"  {name:44} {result.seconds:8.3f} {result.cpu:7.2f} {result.rss / MB:7.1f}"
    if ratio is not None:
        line += f" {ratio:7.2f}"
    if ratio is not None and at_most is not None:
        line += f"  {verdict(ratio, at_most=at_most)}"
    print(line)


def verdict(value: float, *, at_most: float | None = None, at_least: float | None = None) -> str:
    sign, limit = ("<=", at_most) if at_most is not None else (">=", at_least)
    assert limit is not None
    met = value <= limit if sign == "<=" else value >= limit
    return f"{sign} {limit:g} {'ok' if met else 'MISSED'}"
