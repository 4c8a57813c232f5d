"""Waiting for what may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

_Answer = TypeVar("_Answer")


def in_time(ask: Callable[[], _Answer], seconds: float) -> _Answer:
    """What `ask` gives or raises; TimeoutError if it takes longer. A thread is left behind then, which owns what it
    uses: only the end of the process ends a call that a file system in user space does not answer."""
    return _Question(ask).answer(seconds)


class UnaskedError(TimeoutError):
    """There was no time to ask, or an earlier question to the same is still open: what was to ask did not begin."""


class Silent:
    """Who was asked and has not answered yet: nobody asks them again meanwhile. Looks of one process may share it."""

    def __init__(self) -> None:
        self._open: dict[Hashable, _Question[Any]] = {}

    def ask(self, whom: Hashable, ask: Callable[[], _Answer], seconds: float) -> _Answer:
        """As `in_time`; UnaskedError while an earlier question to the same is open."""
        earlier = self._open.get(whom)
        if seconds <= 0 or (earlier is not None and earlier.is_open()):
            raise UnaskedError
        self._open.pop(whom, None)
        question = _Question(ask)
        try:
            return question.answer(seconds)
        except TimeoutError:
            if question.is_open():
                self._open[whom] = question
            raise


class _Question(Generic[_Answer]):
    """A call in a thread of its own, from now on."""

    def __init__(self, ask: Callable[[], _Answer]) -> None:
        self._ask = ask
        self._answers: list[_Answer] = []
        self._errors: list[Exception] = []
        self._thread = threading.Thread(target=self._run, name="ask", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answers.append(self._ask())
        except Exception as error:  # noqa: BLE001  # raised again by whoever waits
            self._errors.append(error)

    def is_open(self) -> bool:
        return self._thread.is_alive()

    def answer(self, seconds: float) -> _Answer:
        self._thread.join(seconds)
        if self._errors:
            raise self._errors[0]
        if not self._answers:
            raise TimeoutError
        return self._answers[0]
