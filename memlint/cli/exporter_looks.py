"""Looks at the host for those who ask: one at a time, none sooner than the interval allows, and one answer for all."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

_NICE = 10
"""Looking is never more urgent than what is looked at."""


class Look(msgspec.Struct, frozen=True):
    """The answer of the last look: `metrics` are lines for Prometheus, "" where it failed; `error` says why."""

    metrics: str
    error: str | None


class Looks:
    """`look` runs in a thread of its own. `ended` and `failed` count."""

    def __init__(self, look: Callable[[], str], interval: float) -> None:
        self._look, self._interval = look, interval
        self._last: Look | None = None
        self._begun = 0.0
        self._running: asyncio.Future[None] | None = None
        self.ended = self.failed = 0

    async def latest(self, patience: float) -> Look | None:
        """An answer that is fresh, else the last one there was, else None; waits `patience` seconds at most."""
        if self._running is None and (self._last is None or time.monotonic() - self._begun >= self._interval):
            self._begin()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=patience)
        return self._last

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._begun = time.monotonic()
        self._running = loop.create_future()
        threading.Thread(target=self._run, args=(loop,), name="look", daemon=True).start()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            _yield_to_others()
            done = Look(self._look(), None)
        except Exception as error:  # noqa: BLE001  # a look that fails is an answer, too
            done = Look("", str(error) or type(error).__name__)
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._end, done)

    def _end(self, done: Look) -> None:
        self._last = done
        self.ended += 1
        self.failed += done.error is not None
        if self._running is not None:
            self._running.set_result(None)
        self._running = None


def _yield_to_others() -> None:
    """Make this thread nicer; one that is nicer already stays so, as only root may make it less."""
    thread = threading.get_native_id()
    with suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, thread) < _NICE:
            os.setpriority(os.PRIO_PROCESS, thread, _NICE)
