"""What long work tells whoever waits for it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told from several threads how far the reading is; only `tick`, called by the waiting thread, may draw."""

    def expect(self, count: int) -> None:
        """So many more bytes will be read; where the number is not known, this is not called."""

    def advance(self, count: int) -> None:
        """So many bytes were read."""

    def tick(self) -> None:
        """Some time has passed."""


class Silent:
    """Progress that nobody watches."""

    def expect(self, count: int) -> None:
        """Nothing to show."""

    def advance(self, count: int) -> None:
        """Nothing to show."""

    def tick(self) -> None:
        """Nothing to show."""
