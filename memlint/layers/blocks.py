"""The bytes of a tar as they come, block after block: no seeking, and no copy but of headers."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.errors import LayerError
from memlint.layers.tar_fields import DAMAGED, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Blocks:
    """The bytes of a tar, taken in order from blocks whose lengths are multiples of 512 (but for the last).

    `view[position:end]` is what lies ready.
    """

    __slots__ = ("_blocks", "end", "position", "view")

    def __init__(self, blocks: Iterable[memoryview]) -> None:
        self._blocks = iter(blocks)
        self.view = memoryview(b"")
        self.position = self.end = 0

    def front(self) -> memoryview:
        """All that lies ready, without taking it; empty at the end."""
        while self.position == self.end:
            block = next(self._blocks, None)
            if block is None:
                self.view, self.position, self.end = memoryview(b""), 0, 0
                return self.view
            self.view, self.position, self.end = block, 0, len(block)
        return self.view[self.position :]

    def peek(self, size: int) -> bytes:
        """A copy of the next `size` bytes (512 at the most) without taking them; fewer at the end."""
        if self.position == self.end:
            self.front()
        position = self.position
        return bytes(self.view[position : position + size])

    def record(self) -> bytes:
        """The next 512 bytes; fewer at the end."""
        record = self.peek(RECORD)
        self.position += len(record)
        return record

    def take(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes in chunks that are valid until the next one is asked for."""
        while size:
            front = self.front()
            if not front:
                raise LayerError(f"ends {size} bytes before the end of a file", DAMAGED)
            chunk = front[:size]
            self.position += len(chunk)
            size -= len(chunk)
            yield chunk

    def skip(self, size: int) -> None:
        """Pass over `size` bytes."""
        self.position += size
        if self.position > self.end:
            size = self.position - self.end
            self.position = self.end
            for _ in self.take(size):
                pass

    def drain(self) -> None:
        """Pass over all that is left, so that the digests cover the whole stream."""
        self.position = self.end
        for _ in self._blocks:
            pass
        self.view, self.position, self.end = memoryview(b""), 0, 0
