"""The maps of sparse files in a tar, which tell where their data lies: GNU tar's old format, PAX formats 0.0 to 1.0.

GNU tar manual, "Storing Sparse Files".
"""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.errors import LayerError
from memlint.layers.limits import MAX_SPARSE_SEGMENTS
from memlint.layers.tar_fields import DAMAGED, RECORD, decimal, number

if TYPE_CHECKING:
    from memlint.layers.blocks import Blocks

    Segments = tuple[tuple[int, int], ...]


def old_map(header: bytes, blocks: Blocks) -> tuple[int, Segments]:
    """The size and the segments of a file whose map is in its header, and in records after it."""
    segments = _sparse_table(header[386:482])
    more = header[482]
    while more:
        record = blocks.record()
        if len(record) < RECORD or len(segments) > MAX_SPARSE_SEGMENTS:
            raise LayerError("has a sparse file whose map does not end", DAMAGED)
        segments += _sparse_table(record[:504])
        more = record[504]
    return number(header, 483, 495), tuple(segments)


def pax_map(extended: dict[str, str], size: int, blocks: Blocks, stored: int) -> tuple[int, Segments | None, int]:
    """The size, the segments (None: it is not sparse) and what is left of the `stored` bytes after the map in them."""
    real = decimal(extended.get("GNU.sparse.realsize", extended.get("GNU.sparse.size", str(size))))
    if extended.get("GNU.sparse.major") == "1":
        numbers, stored = _map_in_data(blocks, stored)
    elif "GNU.sparse.map" in extended:
        numbers = [decimal(part) for part in extended["GNU.sparse.map"].split(",") if part]
    else:
        return size, None, stored
    if len(numbers) % 2:
        raise LayerError("has a sparse file with half a segment", DAMAGED)
    return real, tuple(zip(numbers[::2], numbers[1::2], strict=True)), stored


def _map_in_data(blocks: Blocks, stored: int) -> tuple[list[int], int]:
    """The map of PAX sparse format 1.0: decimal lines before the data, padded to a record."""
    text, lines, wanted = bytearray(), 0, 1
    while lines < wanted:
        if stored < RECORD or len(text) > 44 * MAX_SPARSE_SEGMENTS:
            raise LayerError("has a sparse file whose map does not end", DAMAGED)
        record = blocks.record()
        text += record
        lines += record.count(b"\n")
        stored -= RECORD
        if wanted == 1 and lines:
            wanted = 1 + 2 * decimal(text.partition(b"\n")[0].decode("ascii", "replace"))
            if wanted > 2 * MAX_SPARSE_SEGMENTS:
                raise LayerError("has a sparse file whose map does not end", DAMAGED)
    return [decimal(line.decode("ascii", "replace")) for line in text.split(b"\n")[1:wanted]], stored


def _sparse_table(data: bytes) -> list[tuple[int, int]]:
    return [
        (number(data, at, at + 12), number(data, at + 12, at + 24)) for at in range(0, len(data) - 23, 24) if data[at]
    ]
