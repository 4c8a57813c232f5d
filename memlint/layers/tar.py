"""A streaming reader of layer tars: one pass over blocks, no seeking, nothing extracted.

Formats: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from zlib import adler32

import msgspec

from memlint import TYPE_CHECKING
from memlint.errors import LayerError
from memlint.layers.limits import MAX_EXTENDED_HEADER, MAX_EXTENDED_HEADERS
from memlint.layers.tar_fields import (
    DAMAGED,
    END,
    HOSTILE,
    RECORD,
    checksum_holds,
    clean_path,
    decimal,
    number,
    pax_records,
    text_of,
)
from memlint.layers.tar_sparse import old_map, pax_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.layers.blocks import Blocks
    from memlint.layers.limits import Limits

_ZEROS = memoryview(bytes(1 << 20))

REGULAR, HARD_LINK, SYMLINK, DIRECTORY = "regular", "hard link", "symlink", "directory"
CHARACTER_DEVICE, OTHER = "character device", "other"
_TYPES = {
    **dict.fromkeys((0x00, 0x30, 0x37, 0x53), REGULAR),
    0x31: HARD_LINK,
    0x32: SYMLINK,
    0x33: CHARACTER_DEVICE,
    **dict.fromkeys((0x34, 0x36), OTHER),
    0x35: DIRECTORY,
}
_ORDINARY = {0x30: REGULAR, 0x32: SYMLINK, 0x35: DIRECTORY}
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK, _GNU_SPARSE = 0x78, 0x67, 0x4C, 0x4B, 0x53


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One member of a layer. `path` has no leading `./` and no trailing slash; `size` is the file's, holes included."""

    path: str
    type: str
    size: int
    mode_field: bytes
    link: str = ""
    device: tuple[int, int] = (0, 0)
    segments: tuple[tuple[int, int], ...] | None = None

    def mode(self) -> int:
        """The permission bits; few entries are asked for them."""
        return number(self.mode_field, 0, 8)


class TarReader:
    """Iterates over the entries; the current one's contents are at hand until the next is asked for."""

    def __init__(self, blocks: Blocks, limits: Limits) -> None:
        self._blocks, self._limits = blocks, limits
        self._stored = 0
        self._padding = 0
        self._segments: tuple[tuple[int, int], ...] | None = None
        self._size = 0
        self._expanded = 0
        self._entries = 0

    def __iter__(self) -> Iterator[Entry]:
        blocks, most = self._blocks, self._limits.max_entries
        while entry := self._ordinary() or self._unusual():
            self._entries += 1
            if self._entries > most:
                raise LayerError(f"has more than {most} entries", "if the image can be trusted, raise --max-entries")
            yield entry
            blocks.skip(self._stored + self._padding)
        blocks.drain()

    def _ordinary(self) -> Entry | None:
        """The next entry if its header is as nearly all are, and can be read at a fraction of the price.

        None, and nothing is taken, where anything about it asks for a closer look.
        """
        blocks = self._blocks
        position = blocks.position
        header = bytes(blocks.view[position : position + RECORD])
        if len(header) < RECORD or header[345] or header[135] not in (0, 0x20):
            return None
        kind, name_end, checksum = _ORDINARY.get(header[156]), header.find(0), header[148:156]
        if kind is None or not 0 < name_end < 100 or checksum[6]:
            return None
        try:
            path, size, stored = header[:name_end].decode(), int(header[124:135], 8), int(checksum[:6], 8)
        except ValueError:
            return None
        # adler32's low half is one plus the sum of all bytes, modulo 65521: the sum at a hundredth of the price
        if size < 0 or adler32(header) & 0xFFFF != (stored - 255 + sum(checksum)) % 65521:
            return None
        if "/." in path or "//" in path or path[0] in "./" or path[-1] == "/":
            path = clean_path(path, absolute=self._limits.absolute_names)
        blocks.position = position + RECORD
        self._segments, self._size = None, size
        if kind is REGULAR:
            self._stored, self._padding = size, -size % RECORD
            return Entry(path, kind, size, header[100:108])
        self._stored = self._padding = 0
        link = text_of(header[157:257].partition(b"\0")[0]) if kind is SYMLINK else ""
        return Entry(path, kind, size, header[100:108], link)

    def _unusual(self) -> Entry | None:
        """The next entry, whatever its headers are; None at the end."""
        blocks = self._blocks
        extended: dict[str, str] = {}
        headers = 0
        while header := self._header():
            flag = header[156]
            size = number(header, 124, 136)
            if flag in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
                headers += 1
                if size > MAX_EXTENDED_HEADER or headers > MAX_EXTENDED_HEADERS:
                    raise LayerError("has extended headers without end", HOSTILE)
                data = b"".join(bytes(chunk) for chunk in blocks.take(size))
                blocks.skip(-size % RECORD)
                if flag == _PAX:
                    extended = {**extended, **pax_records(data)}
                elif flag != _PAX_GLOBAL:  # those are heeded by none of the programs that unpack layers
                    key = "path" if flag == _LONG_NAME else "linkpath"
                    extended = {**extended, key: text_of(data.partition(b"\0")[0])}
                continue
            if entry := self._entry(header, flag, size, extended):
                return entry
            headers, extended = 0, {}
            blocks.skip(self._stored + self._padding)
        return None

    def start(self, size: int) -> bytes:
        """A copy of the current file's first `size` bytes (512 at the most), before any are taken.

        Fewer when it has fewer, or a hole there.
        """
        if self._segments is None:
            return self._blocks.peek(min(size, self._stored))
        if not self._segments or self._segments[0][0] > 0:
            return b""
        return self._blocks.peek(min(size, self._stored, self._segments[0][1]))

    def contents(self) -> Iterator[memoryview]:
        """The current file's bytes, holes filled with zeros; each chunk is valid until the next is asked for."""
        if self._segments is None:
            return self._take(self._stored)
        return self._filled(self._segments, self._size)

    def _take(self, size: int) -> Iterator[memoryview]:
        if size > self._stored:
            raise LayerError("has a sparse file that is longer than its data", DAMAGED)
        for chunk in self._blocks.take(size):
            self._stored -= len(chunk)
            yield chunk

    def _filled(self, segments: tuple[tuple[int, int], ...], size: int) -> Iterator[memoryview]:
        position = 0
        for offset, length in (*segments, (size, 0)):
            if offset < position or offset + length > size:
                raise LayerError("has a sparse file whose segments overlap or lie past its end", DAMAGED)
            yield from self._hole(offset - position)
            yield from self._take(length)
            position = offset + length

    def _hole(self, size: int) -> Iterator[memoryview]:
        self._expanded += size
        if self._expanded > self._limits.max_layer_bytes:
            raise LayerError(
                f"holds more than {self._limits.max_layer_bytes} bytes, holes included",
                "if the image can be trusted, raise --max-layer-size",
            )
        while size > 0:
            yield _ZEROS[:size]
            size -= len(_ZEROS)

    def _header(self) -> bytes | None:
        header = self._blocks.record()
        if not header:
            return None
        if len(header) < RECORD:
            raise LayerError("ends within a tar header", DAMAGED)
        if header == END:
            if self._blocks.record().strip(b"\0"):
                raise LayerError("goes on after a block of zeros that should end it", DAMAGED)
            return None
        if not checksum_holds(header):
            raise LayerError("is not a tar, or is damaged: a header's checksum is wrong", DAMAGED)
        return header

    def _entry(self, header: bytes, flag: int, size: int, extended: dict[str, str]) -> Entry | None:
        path = text_of(header[:100].partition(b"\0")[0])
        if header[345] and header[257:263] == b"ustar\0":
            width = 131 if header[508:512] == b"tar\0" else 155  # star keeps times in the rest of the prefix
            path = text_of(header[345 : 345 + width].partition(b"\0")[0]) + "/" + path
        link = ""
        if extended:
            path = extended.get("path") or path  # an empty value takes back what was said before
            if text := extended.get("size"):
                size = decimal(text)
        kind = _TYPES.get(flag, OTHER)
        if flag == 0 and path.endswith("/"):
            kind = DIRECTORY  # as before POSIX, when there was no type for it
        stored = size if kind is REGULAR or flag not in _TYPES else 0
        self._segments, self._stored, self._padding = None, stored, -stored % RECORD
        if kind is REGULAR:
            if flag == _GNU_SPARSE:
                size, self._segments = old_map(header, self._blocks)
            elif extended and any(key.startswith("GNU.sparse.") for key in extended):
                path = extended.get("GNU.sparse.name") or path
                size, self._segments, self._stored = pax_map(extended, size, self._blocks, stored)
        elif kind is HARD_LINK or kind is SYMLINK:
            link = extended.get("linkpath") or text_of(header[157:257].partition(b"\0")[0])
        self._size = size
        if flag not in _TYPES:
            return None
        device = (number(header, 329, 337), number(header, 337, 345)) if kind is CHARACTER_DEVICE else (0, 0)
        path = clean_path(path, absolute=self._limits.absolute_names)
        if kind is HARD_LINK:
            link = clean_path(link, absolute=True)
        elif "\0" in link:
            raise LayerError(f"has a symlink with a NUL byte in it: {path[:200]!r}", HOSTILE)
        return Entry(path, kind, size, header[100:108], link, device, self._segments)
