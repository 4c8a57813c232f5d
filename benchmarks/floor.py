"""What the libraries alone take, in processes that layers.py runs: python floor.py [--verify] plain|gzip|zstd BLOB...

Decompression into one buffer; with --verify also both SHA-256, of the tar and of the blob, each in a thread of its own
and fed through a ring of buffers: the least that a reader in Python pays that must know both digests.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue
from typing import Any

BLOCK = 1 << 20
RING = 8


class Stored:
    """The blob's file; `seen` gets every chunk that is read of it."""

    def __init__(self, path: str, seen: Callable[[bytes], None]) -> None:
        self._descriptor, self._seen = os.open(path, os.O_RDONLY), seen

    def read(self, size: int = -1, /) -> bytes:
        data = os.read(self._descriptor, min(size, BLOCK) if size > 0 else BLOCK)
        self._seen(data)
        return data

    def readinto(self, target: memoryview, /) -> int:
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)


def opened(compression: str, stored: Stored) -> Any:
    if compression == "gzip":
        from isal import igzip

        return igzip.IGzipFile(fileobj=stored, mode="rb")  # type: ignore[no-untyped-call]
    if compression == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(stored)  # type: ignore[arg-type]
    return stored


def decompress(compression: str, blob: str) -> None:
    reader, buffer = opened(compression, Stored(blob, lambda _: None)), memoryview(bytearray(BLOCK))
    while reader.readinto(buffer):
        pass


class Digester:
    """SHA-256 in a thread of its own, fed through a queue."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[bytes | memoryview, Callable[[], None]] | None] = SimpleQueue()
        self._digest = hashlib.sha256()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def feed(self, data: bytes | memoryview, done: Callable[[], None] = lambda: None) -> None:
        self._queue.put((data, done))

    def result(self) -> str:
        self._queue.put(None)
        self._thread.join()
        return self._digest.hexdigest()

    def _work(self) -> None:
        for data, done in iter(self._queue.get, None):
            self._digest.update(data)
            done()


def verify(compression: str, path: str) -> None:
    tar, blob = Digester(), Digester()
    free: SimpleQueue[memoryview] = SimpleQueue()
    for _ in range(RING):
        free.put(memoryview(bytearray(BLOCK)))
    reader = opened(compression, Stored(path, blob.feed))
    for buffer, filled in blocks(reader, free):
        tar.feed(buffer[:filled], partial(free.put, buffer))
    tar.result()
    if f"sha256-{blob.result()}" != f"sha256-{os.path.basename(path)}":
        sys.exit(f"{path}: its digest is not its name")


def blocks(reader: Any, free: SimpleQueue[memoryview]) -> Iterator[tuple[memoryview, int]]:
    while filled := reader.readinto(buffer := free.get()):
        yield buffer, filled


def main() -> None:
    arguments = sys.argv[1:]
    work = verify if arguments[0] == "--verify" else decompress
    compression, *blobs = arguments[work is verify :]
    for blob in blobs:
        work(compression, blob)


if __name__ == "__main__":
    main()
