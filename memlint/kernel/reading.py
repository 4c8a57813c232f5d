"""A file's bytes, read so that the page cache holds afterwards what it held before."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

Runs = Sequence[tuple[int, int]]
"""Bytes of a file from the first of each up to the second, ascending."""


def chunks(descriptor: int, buffer: bytearray, absent: Runs, check: Callable[[], None]) -> Iterator[memoryview]:
    """An open file's bytes from its start, each part in `buffer` until the next is asked for.

    `absent` are those that were not cached: they are dropped once they were read. `check` is called before each part
    and may raise to end it. OSError where the file cannot be read.
    """
    offset, left = 0, deque(absent)
    try:
        check()
        with memoryview(buffer) as whole:
            while got := os.preadv(descriptor, [whole], offset):
                offset += got
                with whole[:got] as chunk:
                    yield chunk
                _drop(descriptor, _before(offset, left))
                check()
    finally:
        _drop(descriptor, absent)  # what was read ahead, and folios that lie across two parts


def _before(end: int, left: deque[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of the runs lies before `end`; they lose it."""
    while left and left[0][0] < end:
        first, last = left.popleft()
        yield first, min(last, end)
        if last > end:
            left.appendleft((end, last))


def _drop(descriptor: int, runs: Runs | Iterator[tuple[int, int]]) -> None:
    """Clean pages that nobody maps leave the page cache."""
    with suppress(OSError):  # a file system that cannot, keeps them
        for first, last in runs:
            os.posix_fadvise(descriptor, first, last - first, os.POSIX_FADV_DONTNEED)
