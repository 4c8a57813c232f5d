"""Waits for what another process is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def until(found: Callable[[], _T], otherwise: Callable[[], str], seconds: float = 30) -> _T:
    """What `found` gives, once that is true. An AssertionError after so long, with what there is instead."""
    give_up = time.monotonic() + seconds
    while not (it := found()):
        assert time.monotonic() < give_up, otherwise()
        time.sleep(0.02)
    return it
