"""What never answers is waited for as long as is said, and what answers is passed on as it is."""

from __future__ import annotations

import threading

import pytest

from memlint.kernel.patience import in_time


def test_answers_and_errors_are_passed_on() -> None:
    assert in_time(lambda: 7, 10) == 7
    assert in_time(lambda: None, 10) is None
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 // 0, 10)


def test_silence_ends() -> None:
    forever = threading.Event()
    with pytest.raises(TimeoutError):
        in_time(forever.wait, 0.05)
    forever.set()
