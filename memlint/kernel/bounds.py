"""How much a look may cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import zip_longest
from typing import TypeVar

import msgspec

from memlint.kernel.patience import Silent
from memlint.kernel.residency import Process

_Answer = TypeVar("_Answer")


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
    """What is left of the time, counted from here, and who is not waited for any more."""

    def __init__(self, bounds: Bounds, silent: Silent | None = None) -> None:
        self._bounds, self._silent = bounds, silent or Silent()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def check(self) -> None:
        """SpentError if nothing is left."""
        if not self.left():
            raise SpentError

    def left(self) -> float:
        """The seconds that are left; infinity where there is no limit, 0 also where that of the CPU is reached."""
        seconds, cpu_seconds = self._bounds.seconds, self._bounds.cpu_seconds
        if cpu_seconds is not None and time.process_time() - self._cpu >= cpu_seconds:
            return 0.0
        return math.inf if seconds is None else max(seconds - (time.perf_counter() - self._wall), 0.0)

    def share(self) -> float:
        """The seconds that one may be waited for: half of what is left, so that who is silent leaves others some."""
        return self.left() / 2

    def ask(self, whom: Hashable, ask: Callable[[], _Answer], most: float) -> _Answer:
        """What one who may never answer gives or raises. TimeoutError after `most` seconds, or after his share of what
        is left; UnaskedError for one who is silent still."""
        return self._silent.ask(whom, ask, min(most, self.share()))


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
