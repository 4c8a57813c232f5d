"""A container that runs, whatever runs it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from support.frames import descendants
from support.waiting import until


class Running(NamedTuple):
    """`id` and `pid` as its engine tells them; `pid` is its first process."""

    id: str
    name: str
    image: str
    pid: int

    def pids(self) -> list[int]:
        return descendants(self.pid)


class Fleet(NamedTuple):
    """Containers of one store; `storage` is memlint's name of it."""

    storage: str
    containers: list[Running]

    def pids(self) -> list[int]:
        return [pid for container in self.containers for pid in container.pids()]


def wait_until_asleep(pid: int, called: str) -> None:
    """Until the process calls itself so and it and all below it sleep: nothing maps anything any more."""
    until(
        lambda: _read(pid, "comm") == called and all("nanosleep" in _read(each, "wchan") for each in descendants(pid)),
        lambda: f"process {pid} is {_read(pid, 'status')}",
    )


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text().strip()
