"""A streaming reader of layer tars: one pass over blocks, no seeking, nothing extracted.

Formats: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format" and
"Storing Sparse Files".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import adler32

import msgspec

from memlint.errors import LayerError
from memlint.layers.limits import MAX_DEPTH, MAX_EXTENDED_HEADER, MAX_EXTENDED_HEADERS, MAX_SPARSE_SEGMENTS, Limits

RECORD = 512
_END = bytes(RECORD)
_NAME_MAX = 4 * 4096
"""Linux's PATH_MAX, when no byte of a name is UTF-8 and each is spelled `\\xNN`."""
_ZEROS = memoryview(bytes(1 << 20))
_DAMAGED = "the layer is damaged or is no tar: save, pull or build the image again"
_ABSOLUTE = "few builders write such names (ko does): --absolute-names takes them from the image's root, as Docker does"
_HOSTILE = "no honest builder writes this: do not run the image, and look at where it comes from"

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
        return _number(self.mode_field, 0, 8)


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
                raise LayerError(f"ends {size} bytes before the end of a file", _DAMAGED)
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
        link = _text(header[157:257].partition(b"\0")[0]) if kind is SYMLINK else ""
        return Entry(path, kind, size, header[100:108], link)

    def _unusual(self) -> Entry | None:
        """The next entry, whatever its headers are; None at the end."""
        blocks = self._blocks
        extended: dict[str, str] = {}
        headers = 0
        while header := self._header():
            flag = header[156]
            size = _number(header, 124, 136)
            if flag in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
                headers += 1
                if size > MAX_EXTENDED_HEADER or headers > MAX_EXTENDED_HEADERS:
                    raise LayerError("has extended headers without end", _HOSTILE)
                data = b"".join(bytes(chunk) for chunk in blocks.take(size))
                blocks.skip(-size % RECORD)
                if flag == _PAX:
                    extended = {**extended, **_pax(data)}
                elif flag != _PAX_GLOBAL:  # those are heeded by none of the programs that unpack layers
                    key = "path" if flag == _LONG_NAME else "linkpath"
                    extended = {**extended, key: _text(data.partition(b"\0")[0])}
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
            raise LayerError("has a sparse file that is longer than its data", _DAMAGED)
        for chunk in self._blocks.take(size):
            self._stored -= len(chunk)
            yield chunk

    def _filled(self, segments: tuple[tuple[int, int], ...], size: int) -> Iterator[memoryview]:
        position = 0
        for offset, length in (*segments, (size, 0)):
            if offset < position or offset + length > size:
                raise LayerError("has a sparse file whose segments overlap or lie past its end", _DAMAGED)
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
            raise LayerError("ends within a tar header", _DAMAGED)
        if header == _END:
            if self._blocks.record().strip(b"\0"):
                raise LayerError("goes on after a block of zeros that should end it", _DAMAGED)
            return None
        if not _checksum_holds(header):
            raise LayerError("is not a tar, or is damaged: a header's checksum is wrong", _DAMAGED)
        return header

    def _entry(self, header: bytes, flag: int, size: int, extended: dict[str, str]) -> Entry | None:
        path = _text(header[:100].partition(b"\0")[0])
        if header[345] and header[257:263] == b"ustar\0":
            width = 131 if header[508:512] == b"tar\0" else 155  # star keeps times in the rest of the prefix
            path = _text(header[345 : 345 + width].partition(b"\0")[0]) + "/" + path
        link = ""
        if extended:
            path = extended.get("path") or path  # an empty value takes back what was said before
            if text := extended.get("size"):
                size = _decimal(text)
        kind = _TYPES.get(flag, OTHER)
        if flag == 0 and path.endswith("/"):
            kind = DIRECTORY  # as before POSIX, when there was no type for it
        stored = size if kind is REGULAR or flag not in _TYPES else 0
        self._segments, self._stored, self._padding = None, stored, -stored % RECORD
        if kind is REGULAR:
            if flag == _GNU_SPARSE:
                size, self._segments = self._old_sparse(header)
            elif extended and any(key.startswith("GNU.sparse.") for key in extended):
                path = extended.get("GNU.sparse.name") or path
                size, self._segments = self._pax_sparse(extended, size)
        elif kind is HARD_LINK or kind is SYMLINK:
            link = extended.get("linkpath") or _text(header[157:257].partition(b"\0")[0])
        self._size = size
        if flag not in _TYPES:
            return None
        device = (_number(header, 329, 337), _number(header, 337, 345)) if kind is CHARACTER_DEVICE else (0, 0)
        path = clean_path(path, absolute=self._limits.absolute_names)
        if kind is HARD_LINK:
            link = clean_path(link, absolute=True)
        elif "\0" in link:
            raise LayerError(f"has a symlink with a NUL byte in it: {path[:200]!r}", _HOSTILE)
        return Entry(path, kind, size, header[100:108], link, device, self._segments)

    def _old_sparse(self, header: bytes) -> tuple[int, tuple[tuple[int, int], ...]]:
        segments = _sparse_table(header[386:482])
        more = header[482]
        while more:
            record = self._blocks.record()
            if len(record) < RECORD or len(segments) > MAX_SPARSE_SEGMENTS:
                raise LayerError("has a sparse file whose map does not end", _DAMAGED)
            segments += _sparse_table(record[:504])
            more = record[504]
        return _number(header, 483, 495), tuple(segments)

    def _pax_sparse(self, extended: dict[str, str], size: int) -> tuple[int, tuple[tuple[int, int], ...] | None]:
        real = _decimal(extended.get("GNU.sparse.realsize", extended.get("GNU.sparse.size", str(size))))
        if extended.get("GNU.sparse.major") == "1":
            numbers = self._map_in_data()
        elif "GNU.sparse.map" in extended:
            numbers = [_decimal(part) for part in extended["GNU.sparse.map"].split(",") if part]
        else:
            return size, None
        if len(numbers) % 2:
            raise LayerError("has a sparse file with half a segment", _DAMAGED)
        return real, tuple(zip(numbers[::2], numbers[1::2], strict=True))

    def _map_in_data(self) -> list[int]:
        """The map of PAX sparse format 1.0: decimal lines before the data, padded to a record."""
        text, lines, wanted = bytearray(), 0, 1
        while lines < wanted:
            if self._stored < RECORD or len(text) > 44 * MAX_SPARSE_SEGMENTS:
                raise LayerError("has a sparse file whose map does not end", _DAMAGED)
            record = self._blocks.record()
            text += record
            lines += record.count(b"\n")
            self._stored -= RECORD
            if wanted == 1 and lines:
                wanted = 1 + 2 * _decimal(text.partition(b"\n")[0].decode("ascii", "replace"))
                if wanted > 2 * MAX_SPARSE_SEGMENTS:
                    raise LayerError("has a sparse file whose map does not end", _DAMAGED)
        return [_decimal(line.decode("ascii", "replace")) for line in text.split(b"\n")[1:wanted]]


def clean_path(path: str, *, absolute: bool = False) -> str:
    """A member's name as a path below the root, "" for the root itself; LayerError when it leads anywhere else.

    `absolute` names count from the root, too; without it they are refused.
    """
    if path.startswith("./"):
        path = path[2:].lstrip("/")
    if path.endswith("/"):
        path = path.rstrip("/")
    if len(path) > _NAME_MAX or path.count("/") > MAX_DEPTH:
        raise LayerError(f"has an entry with a name of {len(path)} characters: {path[:200]!r}", _HOSTILE)
    if "\0" in path:
        raise LayerError(f"has an entry with a NUL byte in it: {path[:200]!r}", _HOSTILE)
    if path.startswith("/") and not absolute:
        raise LayerError(f"has an entry with an absolute name: {path[:200]!r}", _ABSOLUTE)
    if "/." in path or "//" in path or path.startswith((".", "/")):
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise LayerError(f"has an entry that leads out of the image: {path[:200]!r}", _HOSTILE)
        return "/".join(parts)
    return path


def is_header(record: bytes) -> bool:
    """Whether 512 bytes look like a tar's first header, for which its checksum vouches."""
    return len(record) == RECORD and record != _END and _checksum_holds(record)


def _text(raw: bytes) -> str:
    """Names are UTF-8; other bytes become `\\xNN`, so that every later text is printable and valid JSON."""
    return raw.decode("utf-8", "backslashreplace")


def _checksum_holds(header: bytes) -> bool:
    field = header[148:156]
    try:
        stored = int(field[:6] if field[6] == 0 else field.strip(b"\0 ") or b"0", 8)
    except ValueError:
        return False
    unsigned = sum(header) - sum(field) + 256
    if stored == unsigned:
        return True
    return stored == unsigned - 256 * sum(byte > 127 for byte in header[:148] + header[156:])  # signed, in old tars


def _number(header: bytes, start: int, end: int) -> int:
    """An octal field, or the base-256 that GNU tar writes for what octal cannot hold."""
    if header[start] & 0x80:
        value = int.from_bytes(header[start:end], "big") & ((1 << (8 * (end - start) - 1)) - 1)
        if header[start] & 0x40:
            raise LayerError("has an entry of negative size", _DAMAGED)
        return value
    if header[end - 1] in (0, 0x20):
        try:
            value = int(header[start : end - 1], 8)  # as nearly all are: digits, and one byte to end them
        except ValueError:
            value = _blank_padded(header[start:end])
    else:
        value = _blank_padded(header[start:end])
    if value < 0:
        raise LayerError("has an entry of negative size", _DAMAGED)
    return value


def _blank_padded(field: bytes) -> int:
    try:
        return int(field.strip(b"\0 ").partition(b"\0")[0] or b"0", 8)
    except ValueError:
        raise LayerError("is damaged: a number in a header is none", _DAMAGED) from None


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise LayerError(f"is damaged: {text[:40]!r} stands where a size should", _DAMAGED)
    return int(text)


def _pax(data: bytes) -> dict[str, str]:
    """The records of a PAX header: `LENGTH KEY=VALUE\\n`. Sparse format 0.0's repeated keys become 0.1's map."""
    found: dict[str, str] = {}
    sparse: list[str] = []
    while data:
        head, space, _ = data[:12].partition(b" ")
        length = int(head) if space and head.isdigit() else 0
        record = data[len(head) + 1 : length]
        key, equals, value = record[:-1].partition(b"=")
        if not equals or len(record) + len(head) + 1 != length or record[-1:] != b"\n":
            raise LayerError("is damaged: a PAX record's length is wrong", _DAMAGED)
        name = _text(key)
        if name in ("GNU.sparse.offset", "GNU.sparse.numbytes"):
            sparse.append(_text(value))
        else:
            found[name] = _text(value)
        data = data[length:]
    if sparse:
        found["GNU.sparse.map"] = ",".join(sparse)
    return found


def _sparse_table(data: bytes) -> list[tuple[int, int]]:
    return [
        (_number(data, at, at + 12), _number(data, at + 12, at + 24)) for at in range(0, len(data) - 23, 24) if data[at]
    ]
