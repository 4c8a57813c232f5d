"""A progress bar on standard error, for people alone."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memlint.layers.progress import Progress, Silent

if TYPE_CHECKING:
    import rich.progress

_PATIENCE = 0.4
"""Seconds after which a bar is worth its drawing, and rich its import."""


@contextmanager
def progress_bar(*, wanted: bool) -> Iterator[Progress]:
    """A bar while the work lasts; none where nobody would see it."""
    if not wanted or not sys.stderr.isatty():
        yield Silent()
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    """Counts in any thread, draws in the one that waits: a drawing thread would take the GIL from the readers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = self._done = 0
        self._started = time.monotonic()
        self._drawn: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None

    def expect(self, count: int) -> None:
        self._total += count

    def advance(self, count: int) -> None:
        with self._lock:
            self._done += count

    def tick(self) -> None:
        if self._drawn is None:
            if time.monotonic() - self._started < _PATIENCE:
                return
            self._open()
        if self._drawn is not None and self._task is not None:
            self._drawn.update(
                self._task, total=max(self._total, self._done) if self._total else None, completed=self._done
            )
            self._drawn.refresh()

    def close(self) -> None:
        if self._drawn is not None:
            self._drawn.stop()

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._drawn = Progress(
            TextColumn("reading layers"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._drawn.add_task("", total=None)
        self._drawn.start()
