"""Tars written field by field, and what memlint reads of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from memlint.layers.blocks import Blocks
from memlint.layers.limits import Limits
from memlint.layers.tar import TarReader

END = bytes(1024)


class Read(NamedTuple):
    """An entry with its contents."""

    path: str
    type: str
    data: bytes
    link: str


def noise(size: int, seed: bytes = b"") -> bytes:
    """Bytes that no codec can shorten, the same in every run."""
    return hashlib.shake_128(seed).digest(size)


def header(
    name: bytes,
    size: int | bytes = 0,
    flag: bytes = b"0",
    *,
    link: bytes = b"",
    prefix: bytes = b"",
    magic: bytes = b"ustar\x0000",
    device: tuple[int, int] = (0, 0),
    mode: int = 0o644,
    tail: dict[int, bytes] | None = None,
) -> bytes:
    """One header; `size` as bytes stands in its field as it is, `tail` puts bytes at given offsets."""
    data = bytearray(512)
    fields: list[tuple[int, bytes]] = [
        (0, name),
        (100, b"%07o\0" % mode),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, size if isinstance(size, bytes) else b"%011o\0" % size),
        (136, b"00000000000\0"),
        (148, b"        "),
        (156, flag),
        (157, link),
        (257, magic),
        (329, b"%07o\0" % device[0]),
        (337, b"%07o\0" % device[1]),
        (345, prefix),
        *(tail or {}).items(),
    ]
    for at, value in fields:
        data[at : at + len(value)] = value
    assert len(data) == 512
    data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def member(name: bytes, data: bytes = b"", flag: bytes = b"0", **fields: Any) -> bytes:
    return header(name, len(data), flag, **fields) + padded(data)


def record(key: bytes, value: bytes) -> bytes:
    """A PAX record, whose length counts its own digits."""
    length = len(key) + len(value) + 3
    while len(b"%d" % length) + len(key) + len(value) + 3 != length:
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def pax(*records: tuple[bytes, bytes], flag: bytes = b"x") -> bytes:
    return member(b"PaxHeaders/x", b"".join(record(key, value) for key, value in records), flag)


def blocks(data: bytes, size: int = 1 << 20) -> Iterable[memoryview]:
    """`data` in one buffer of `size` bytes, which each step overwrites, as the ring of the real stream does."""
    buffer = bytearray(size)
    for start in range(0, len(data), size):
        part = data[start : start + size]
        buffer[: len(part)] = part
        with memoryview(buffer)[: len(part)] as block:
            yield block
        buffer[:] = b"\xee" * size


def read(data: bytes, size: int = 1 << 20, limits: Limits | None = None) -> list[Read]:
    """All entries with their contents, files' fronts checked on the way."""
    reader = TarReader(Blocks(blocks(data, size)), limits or Limits())
    found = []
    for entry in reader:
        content = b""
        if entry.type == "regular":
            front = reader.start(512)
            content = b"".join(bytes(chunk) for chunk in reader.contents())
            assert content.startswith(front)
            assert len(content) == entry.size
        found.append(Read(entry.path, entry.type, content, entry.link))
    return found
