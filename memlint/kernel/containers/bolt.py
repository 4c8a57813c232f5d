"""Reads a bbolt database, in which containerd keeps what it knows: a B+ tree of pages, buckets within buckets.

The file may be written meanwhile. A page that is damaged, or not what it should be, is a key that is not there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from io import FileIO

from memlint.kernel.host import opened

_MAGIC = 0xED0CDAED
_HEADER = struct.Struct("<QHHI")
_META = struct.Struct("<IIIIQQQQQ")
_LEAF = struct.Struct("<IIII")
_BRANCH = struct.Struct("<IIQ")
_BUCKET = struct.Struct("<QQ")
_IS_BRANCH, _IS_LEAF, _IS_BUCKET = 1, 2, 1
_PAGES_MAX = 20_000
_DEPTH_MAX = 32
Page = bytes
"""A page with those that it overflows into, from its header on."""


def bucket(path: str, names: Sequence[str]) -> dict[str, bytes]:
    """What the bucket at the end of these names holds; {} where there is none, or the file cannot be read."""
    try:
        with opened(path) as file:
            return _Database(file).bucket(names)
    except (OSError, OverflowError, struct.error, ValueError):
        return {}


class _Database:
    """An open file, of which so many pages may be read and no more: damaged ones may lead around in circles."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._size, self._root = _newest(file)
        self._left = _PAGES_MAX

    def bucket(self, names: Sequence[str]) -> dict[str, bytes]:
        page = self._page(self._root)
        for name in names:
            value = self._find(page, name.encode(), _DEPTH_MAX)
            if value is None:
                return {}
            page = self._opened(value)
        leaves = self._leaves(page, _DEPTH_MAX)
        return {key.decode("utf-8", "replace"): value for flags, key, value in leaves if not flags & _IS_BUCKET}

    def _page(self, number: int) -> Page:
        at = number * self._size
        _, _, _, overflow = _HEADER.unpack_from(os.pread(self._file.fileno(), _HEADER.size, at))
        self._left -= overflow + 1
        if self._left < 0:
            raise ValueError("too many pages")
        return os.pread(self._file.fileno(), (overflow + 1) * self._size, at)

    def _opened(self, value: bytes) -> Page:
        """A bucket's first page: a small bucket lies in its value itself."""
        root, _ = _BUCKET.unpack_from(value)
        return value[_BUCKET.size :] if root == 0 else self._page(root)

    def _find(self, page: Page, key: bytes, depth: int) -> bytes | None:
        """The value of a bucket of that name."""
        flags, count = _HEADER.unpack_from(page)[1:3]
        if flags & _IS_LEAF:
            buckets = ((name, value) for marks, name, value in _elements(page, count) if marks & _IS_BUCKET)
            return next((value for name, value in buckets if name == key), None)
        if not flags & _IS_BRANCH or depth == 0:
            raise ValueError("no page of a tree")
        below = [number for name, number in _branches(page, count) if name <= key]
        return self._find(self._page(below[-1]), key, depth - 1) if below else None

    def _leaves(self, page: Page, depth: int) -> Iterator[tuple[int, bytes, bytes]]:
        flags, count = _HEADER.unpack_from(page)[1:3]
        if flags & _IS_LEAF:
            yield from _elements(page, count)
        elif flags & _IS_BRANCH and depth:
            for _, number in _branches(page, count):
                yield from self._leaves(self._page(number), depth - 1)


def _newest(file: FileIO) -> tuple[int, int]:
    """The size of a page, and the root of the last commit: two pages hold one in turn."""
    size = _META.unpack_from(os.pread(file.fileno(), _HEADER.size + _META.size, 0), _HEADER.size)[2]
    if not 512 <= size <= 2**16:
        raise ValueError("not a database")
    found = []
    for number in (0, 1):
        raw = os.pread(file.fileno(), _HEADER.size + _META.size, number * size)
        magic, _, _, _, root, _, _, _, transaction = _META.unpack_from(raw, _HEADER.size)
        if magic == _MAGIC:
            found.append((transaction, root))
    return size, max(found)[1]


def _elements(page: Page, count: int) -> Iterator[tuple[int, bytes, bytes]]:
    for at in range(_HEADER.size, _HEADER.size + count * _LEAF.size, _LEAF.size):
        flags, offset, key, value = _LEAF.unpack_from(page, at)
        start = at + offset
        yield flags, page[start : start + key], page[start + key : start + key + value]


def _branches(page: Page, count: int) -> Iterator[tuple[bytes, int]]:
    for at in range(_HEADER.size, _HEADER.size + count * _BRANCH.size, _BRANCH.size):
        offset, key, number = _BRANCH.unpack_from(page, at)
        yield page[at + offset : at + offset + key], number
