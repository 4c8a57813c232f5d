"""How much a look may cost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import msgspec

from memlint.kernel.residency import Process


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """`sample` is the part of each container's processes that is looked into page by page, one at the least.

    `seconds` and `cpu_seconds` end the look, None never does. Mappings of more than `mapping_bytes` are not walked,
    contents of files of more than `file_bytes` not read.
    """

    sample: float = 1.0
    seconds: float | None = None
    cpu_seconds: float | None = None
    mapping_bytes: int = 1 << 30
    file_bytes: int = 4 << 30


class SpentError(Exception):
    """The time that was allowed is over. It never leaves this room."""


class Budget:
    """What is left of the time, counted from here."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def check(self) -> None:
        """SpentError if nothing is left."""
        seconds, cpu_seconds = self._bounds.seconds, self._bounds.cpu_seconds
        if seconds is not None and time.perf_counter() - self._wall >= seconds:
            raise SpentError
        if cpu_seconds is not None and time.process_time() - self._cpu >= cpu_seconds:
            raise SpentError


def in_turn(processes: Iterable[Process], sample: float) -> list[Process]:
    """The sample: of each container its first process, then the next of each, so that all are seen when time is short.

    `sample` is the part of each container's processes, one at the least; they are spread evenly over its PIDs.
    """
    groups: dict[str | None, list[Process]] = {}
    for process in sorted(processes, key=lambda each: each.pid):
        groups.setdefault(process.container, []).append(process)
    turns = [_spread(group, max(1, round(len(group) * sample))) for group in groups.values()]
    return [process for turn in zip_longest(*turns) for process in turn if process is not None]


def _spread(group: Sequence[Process], count: int) -> list[Process]:
    return [group[number * len(group) // count] for number in range(count)]
