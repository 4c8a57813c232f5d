"""Looks for those who ask: one at a time, shared, and none that is lost when it fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from memlint.cli.exporter_looks import Look, Looks
from memlint.errors import UsageError

LONG = 10.0


class Host:
    """What is looked at: counts looks, and those at one time; `last` seconds each."""

    def __init__(self, last: float = 0.0) -> None:
        self.last = last
        self.looks = self.now = self.most = 0
        self.fails = False
        self._lock = threading.Lock()

    def look(self) -> str:
        with self._lock:
            self.looks += 1
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.last)
        with self._lock:
            self.now -= 1
        if self.fails:
            raise UsageError("the host is gone", "find it")
        return f"look {self.looks}\n"


async def ask(looks: Looks, times: int, patience: float = LONG) -> list[Look | None]:
    return list(await asyncio.gather(*(looks.latest(patience) for _ in range(times))))


def test_all_who_ask_at_once_share_one_look() -> None:
    host = Host(0.1)
    answers = asyncio.run(ask(Looks(host.look, LONG), 50))
    assert answers == [Look("look 1\n", None)] * 50
    assert (host.looks, host.most) == (1, 1)


@pytest.mark.parametrize(("interval", "looks"), [(LONG, 1), (0.0, 3)])
def test_the_interval(interval: float, looks: int) -> None:
    host = Host()

    async def thrice() -> None:
        it = Looks(host.look, interval)
        for _ in range(3):
            await it.latest(LONG)
        assert it.ended == looks

    asyncio.run(thrice())
    assert host.looks == looks


def test_who_cannot_wait_gets_the_last_answer_and_no_second_look_begins() -> None:
    host = Host()

    async def story() -> None:
        it = Looks(host.look, 0.0)
        first = await it.latest(LONG)
        host.last = 0.5
        assert await ask(it, 5, 0.05) == [first] * 5
        assert (host.looks, host.most) == (2, 1)
        assert await it.latest(LONG) == Look("look 2\n", None)

    asyncio.run(story())


def test_before_the_first_answer_there_is_none() -> None:
    host = Host(0.3)

    async def story() -> None:
        it = Looks(host.look, LONG)
        assert await it.latest(0.01) is None
        assert await it.latest(LONG) == Look("look 1\n", None)

    asyncio.run(story())


def test_a_look_that_fails_says_so_gives_no_old_figures_and_is_tried_again() -> None:
    host = Host()

    async def story() -> None:
        it = Looks(host.look, 0.0)
        await it.latest(LONG)
        host.fails = True
        assert await it.latest(LONG) == Look("", "the host is gone")
        assert (it.ended, it.failed) == (2, 1)
        host.fails = False
        assert await it.latest(LONG) == Look("look 3\n", None)
        assert (it.ended, it.failed) == (3, 1)

    asyncio.run(story())


def broken() -> str:
    raise ZeroDivisionError


def no_reason() -> str:
    raise RuntimeError


@pytest.mark.parametrize(("look", "said"), [(broken, "ZeroDivisionError"), (no_reason, "RuntimeError")])
def test_any_failure_has_a_name(look: Callable[[], str], said: str) -> None:
    assert asyncio.run(Looks(look, LONG).latest(LONG)) == Look("", said)
