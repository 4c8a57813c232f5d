"""What never answers is waited for as long as is said, and what answers is passed on as it is."""

from __future__ import annotations

import threading

import pytest
from support.waiting import until

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.patience import Silent, UnaskedError, in_time


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


def test_who_is_silent_is_not_asked_again_before_he_has_answered() -> None:
    """One question is open, in whatever number of looks; others are asked meanwhile."""
    answer, silent, asked = threading.Event(), Silent(), []
    with pytest.raises(TimeoutError):
        silent.ask("a", answer.wait, 0.01)
    for _ in range(3):
        with pytest.raises(UnaskedError):
            silent.ask("a", lambda: asked.append("a"), 10)
    assert asked == []
    assert silent.ask("b", lambda: 7, 10) == 7
    answer.set()
    assert until(lambda: asked_again(silent), lambda: "who has answered is not asked") == 8


def asked_again(silent: Silent) -> int | None:
    try:
        return silent.ask("a", lambda: 8, 10)
    except UnaskedError:
        return None


def test_one_who_is_silent_leaves_time_for_the_others() -> None:
    forever, budget = threading.Event(), Budget(Bounds(seconds=1.0))
    for whom in "ab":
        with pytest.raises(TimeoutError):
            budget.ask(whom, forever.wait, 10)
        budget.check()
    forever.set()


@pytest.mark.parametrize("bounds", [Bounds(seconds=0), Bounds(cpu_seconds=0)])
def test_nobody_is_asked_when_time_is_over(bounds: Bounds) -> None:
    with pytest.raises(UnaskedError):
        Budget(bounds).ask("a", lambda: pytest.fail("asked"), 10)


def test_without_a_limit_there_is_time() -> None:
    assert Budget(Bounds()).ask("a", lambda: 7, 10) == 7
