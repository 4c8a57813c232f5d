"""A layer's stored bytes → blocks of its tar, decompressed, digested and bounded on the way.

Stages in threads of their own when a layer is worth it: decompress, digest, and the walk that asks for blocks.
Decompression and digests release the GIL on a block; the blocks are a ring of reused buffers.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import IO, Any, NamedTuple, cast

import zstandard
from isal import igzip, isal_zlib

from memlint.errors import LayerError
from memlint.layers.limits import RATIO_FLOOR, Limits
from memlint.layers.tar_fields import RECORD
from memlint.model.digest import Digest
from memlint.model.image import Reader

BLOCK = 1 << 20
"""Bytes of one buffer; a multiple of 512, so that no tar header straddles two."""
RING = 8
"""Buffers of one layer in flight."""
SMALL = 4 << 20
"""Stored bytes below which threads cost more than they bring."""

_MAGICS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_BROKEN: Any = (EOFError, OSError, zlib.error, isal_zlib.error, zstandard.ZstdError)
_TAKE_AGAIN = "the file is damaged or cut short: save, pull or copy the image again"


class Block(NamedTuple):
    """A filled buffer, and the compressed bytes that were consumed to fill it."""

    buffer: memoryview
    stored: list[bytes]


class _Tap:
    """A reader for the decompressors that remembers what passed through it."""

    def __init__(self, reader: Reader, start: bytes) -> None:
        self._reader, self._start = reader, start
        self._taken: list[bytes] = []
        self.total = 0

    def read(self, size: int = -1, /) -> bytes:
        wanted = size if size > 0 else BLOCK
        if self._start:
            data, self._start = self._start[:wanted], self._start[wanted:]
        else:
            data = self._reader.read(wanted) or b""
        if data:
            self._taken.append(data)
            self.total += len(data)
        return data

    def readinto(self, target: memoryview, /) -> int:
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def drain(self) -> list[bytes]:
        taken, self._taken = self._taken, []
        return taken


class Promised(NamedTuple):
    """What is said of a layer before it is read; None for what nobody says."""

    size: int | None = None
    digest: Digest | None = None
    diff_id: Digest | None = None


class TarBlocks:
    """A layer's tar as blocks; once all are taken, `verify` compares the digests.

    Use as a context manager: leaving it ends the threads, however early.
    """

    def __init__(self, reader: Reader, limits: Limits, promised: Promised, *, verify: bool = True) -> None:
        self._limits, self._promised, self._verify = limits, promised, verify
        self._diff = hashlib.new(algorithm_of(promised.diff_id))
        self._blob = hashlib.new(algorithm_of(promised.digest))
        self._plain = False
        self._produced = self._stored_total = 0
        self._free: SimpleQueue[bytearray | None] = SimpleQueue()
        self._large = promised.size is None or promised.size > SMALL
        for _ in range(RING if self._large else 1):
            self._free.put(bytearray(BLOCK))
        self._threads: list[threading.Thread] = []
        self._blocks = self._stages(reader)

    def __enter__(self) -> TarBlocks:
        return self

    def __exit__(self, *_: object) -> None:
        self._free.put(None)
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Iterator[memoryview]:
        """Each block is valid until the next one is asked for."""
        for block in self._blocks:
            yield block.buffer
            self._recycle(block)

    def verify(self) -> Digest:
        """The diff ID found, after digests and size were compared with what was promised. LayerError if they differ."""
        promised, stored = self._promised, self._stored_total
        if promised.size not in (None, stored):
            raise LayerError(f"the blob has {stored} bytes, its descriptor says {promised.size}", _TAKE_AGAIN)
        found = Digest(f"{self._diff.name}:{self._diff.hexdigest()}")
        if self._verify:
            blob = f"{self._blob.name}:{self._blob.hexdigest()}"
            if promised.digest not in (None, blob):
                raise LayerError(f"the blob's digest is {blob}, its descriptor says {promised.digest}", _TAKE_AGAIN)
            if promised.diff_id not in (None, found):
                raise LayerError(f"its diff ID is {found}, the image's config says {promised.diff_id}", _TAKE_AGAIN)
        return found

    def _stages(self, reader: Reader) -> Iterator[Block]:
        start = _start(reader)
        codec = codec_of(start)
        # an uncompressed blob is its tar, unless it is digested in two ways
        self._plain = codec is None and self._diff.name == self._blob.name
        blocks = self._filled(reader, start, codec)
        if self._large:
            blocks = self._ahead(blocks)
        if self._verify:
            blocks = self._digested(blocks)
            # gunzip alone takes as long as digests and walk together: a third thread would only take its core away
            if self._large and codec != "gzip":
                blocks = self._ahead(blocks)
        yield from blocks

    def _recycle(self, block: Block) -> None:
        buffer = block.buffer.obj
        block.buffer.release()
        self._free.put(cast(bytearray, buffer))

    def _filled(self, reader: Reader, start: bytes, codec: str | None) -> Iterator[Block]:
        """Blocks of the tar; the last one is short, or empty."""
        try:
            tap = None
            fill: Callable[[memoryview], int] = _Prefixed(start, reader).readinto
            if codec is not None:
                tap = _Tap(reader, start)
                fill = _decompressor(codec, tap, self._limits.max_window).readinto
            while (buffer := self._free.get()) is not None:
                filled = _fill(fill, buffer)
                self._produced += filled
                if tap is not None and filled < BLOCK:
                    # what follows the compressed stream belongs to the blob's digest, too
                    while tap.read(BLOCK):
                        pass
                self._stored_total = self._produced if tap is None else tap.total
                self._bound()
                yield Block(memoryview(buffer)[:filled], self._consumed(tap, buffer, filled))
                if filled < BLOCK:
                    break
        except _BROKEN as error:
            raise _unreadable(error) from error

    def _consumed(self, tap: _Tap | None, buffer: bytearray, filled: int) -> list[bytes]:
        if tap is not None:
            return tap.drain()
        return [] if self._plain else [bytes(buffer[:filled])]

    def _bound(self) -> None:
        limits, produced, stored = self._limits, self._produced, self._stored_total
        if produced > limits.max_layer_bytes:
            raise LayerError(
                f"holds more than {limits.max_layer_bytes} bytes uncompressed",
                "if the image can be trusted, raise --max-layer-size",
            )
        if produced > RATIO_FLOOR and produced > limits.max_ratio * stored:
            raise LayerError(
                f"is compressed more than {limits.max_ratio}:1, as decompression bombs are",
                "if the image can be trusted, raise --max-ratio",
            )

    def _digested(self, blocks: Iterator[Block]) -> Iterator[Block]:
        diff, blob = self._diff, self._blob
        for block in blocks:
            diff.update(block.buffer)
            for chunk in block.stored:
                blob.update(chunk)
            yield block
        if self._plain:
            self._blob = diff  # one and the same bytes

    def _ahead(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The same blocks, made by a thread of their own."""
        ready: SimpleQueue[Block | BaseException | None] = SimpleQueue()

        def work() -> None:
            try:
                for block in blocks:
                    ready.put(block)
                ready.put(None)
            except BaseException as error:  # noqa: BLE001  # handed to the thread that waits
                ready.put(error)

        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item


class _Prefixed:
    """A reader whose first bytes were read already."""

    def __init__(self, start: bytes, reader: Reader) -> None:
        self._start, self._reader = start, reader

    def readinto(self, target: memoryview) -> int:
        if start := self._start:
            self._start = b""
            target[: len(start)] = start
            return len(start)
        return self._reader.readinto(target) or 0


def _start(reader: Reader) -> bytes:
    """The first bytes, enough to tell the codec: a pipe may bring them one by one."""
    start = b""
    while len(start) < RECORD and (more := reader.read(RECORD - len(start))):
        start += more
    return start


def algorithm_of(digest: Digest | None) -> str:
    """The algorithm by which to digest: sha256 where nothing else is asked."""
    return digest.partition(":")[0] if digest else "sha256"


def codec_of(start: bytes) -> str | None:
    """The name of the compression whose magic number `start` begins with; None for none."""
    if start[1:4] == b"\x2a\x4d\x18" and start[0] & 0xF0 == 0x50:
        return "zstd"  # a skippable frame (RFC 8878, 3.1.2)
    return next((codec for magic, codec in _MAGICS.items() if start.startswith(magic)), None)


def _decompressor(codec: str, tap: _Tap, max_window: int) -> Any:
    if codec == "gzip":
        open_gzip: Any = igzip.IGzipFile  # it has no types
        return open_gzip(fileobj=tap, mode="rb")
    if codec == "zstd":
        unpacker = zstandard.ZstdDecompressor(max_window_size=max_window)
        return unpacker.stream_reader(cast(IO[bytes], tap), read_size=BLOCK, read_across_frames=True)
    raise LayerError(
        f"is compressed with {codec}",
        "OCI layers are plain, gzip or zstd: convert the image with skopeo copy",
    )


def _fill(readinto: Callable[[memoryview], int], buffer: bytearray) -> int:
    """How many bytes of the buffer were filled: all, or as many as there were."""
    filled = 0
    with memoryview(buffer) as view:
        while filled < len(view):
            with view[filled:] as rest:
                got = readinto(rest)
            if not got:
                break
            filled += got
    return filled


def _unreadable(error: BaseException) -> LayerError:
    if "memory" in str(error) and isinstance(error, zstandard.ZstdError):
        return LayerError(
            "asks for more memory to decompress than allowed",
            "if the image can be trusted, raise --max-window",
        )
    return LayerError(f"cannot be decompressed ({error})", _TAKE_AGAIN)
