"""Waiting for what may never answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

_Answer = TypeVar("_Answer")


def in_time(ask: Callable[[], _Answer], seconds: float) -> _Answer:
    """What `ask` gives or raises; TimeoutError if it takes longer. A thread is left behind then, which owns what it
    uses: only the end of the process ends a call that a file system in user space does not answer."""
    answers: list[_Answer] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001  # raised again by whoever waits
            errors.append(error)

    thread = threading.Thread(target=run, name="ask", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError
    return answers[0]
