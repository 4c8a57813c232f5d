"""Pages of mapped files that the page cache holds, mapped or not: cachestat(2), else mincore(2)."""

from __future__ import annotations

import ctypes
import mmap
import os
import re

import msgspec

from memlint.kernel.calls import FAILED, libc
from memlint.kernel.host import utf8
from memlint.kernel.namespaces import Namespaces
from memlint.kernel.opening import regular
from memlint.kernel.residency import Seen, Sight
from memlint.model.measure import CachedFile

_CACHESTAT = 451  # the same on all architectures; Linux 6.5
_WINDOW = 1 << 30
"""Bytes that are mapped at once for mincore."""
_LOWEST_BIT = bytes(each & 1 for each in range(256))


class Cached(msgspec.Struct, frozen=True):
    """How many pages of a file are in the page cache, None where nobody tells; and the runs of bytes that are not."""

    pages: int | None
    absent: tuple[tuple[int, int], ...] = ()


class _Range(ctypes.Structure):
    _fields_ = (("offset", ctypes.c_uint64), ("length", ctypes.c_uint64))


class _Stat(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("cache", "dirty", "writeback", "evicted", "recently_evicted"))


def cached_files(sight: Sight, *, page_bytes: int, proc: str = "/proc") -> tuple[CachedFile, ...]:
    """The files that were seen mapped and have a path on the host, those with most unmapped pages first.

    Each as it was before it was read to know its content. Files of which nobody tells are left out.
    """
    view = Namespaces(proc).view
    mapped: dict[tuple[int, int, str], tuple[Seen, set[int]]] = {}
    for each in sight.residencies:
        if each.file.real is not None:
            key = (each.file.device, each.file.inode, each.file.owner)
            mapped.setdefault(key, (each.file, set()))[1].update(each.pages)
    rows = []
    for seen, pages in mapped.values():
        found = seen.cached_pages if seen.cached_pages is not None else cached_pages(f"{view}{seen.real}")
        if found is not None:
            rows.append(CachedFile(utf8(f"{seen.real}"), seen.content, found * page_bytes, len(pages) * page_bytes))
    return tuple(sorted(rows, key=lambda row: (row.mapped_bytes - row.cached_bytes, row.real)))


def cached_pages(path: str) -> int | None:
    """How many pages of a file are in the page cache; None where nobody tells."""
    try:
        descriptor = regular(path)
    except OSError:
        return None
    try:
        return cached(descriptor).pages
    finally:
        os.close(descriptor)


def cached(descriptor: int) -> Cached:
    """What the page cache holds of an open file now."""
    count = by_cachestat(descriptor)
    if count is not None and count * mmap.PAGESIZE >= os.fstat(descriptor).st_size:
        return Cached(count)
    pages = by_mincore(descriptor)  # also of an overlay's file, of which cachestat tells nothing
    if pages is None:
        return Cached(count)
    absent = (found.span() for found in re.finditer(rb"\0+", pages))
    return Cached(pages.count(1), tuple((first * mmap.PAGESIZE, end * mmap.PAGESIZE) for first, end in absent))


def by_cachestat(descriptor: int) -> int | None:
    """How many pages, as cachestat(2) tells; None where the kernel or the file system has it not."""
    found = _Stat()
    if libc().syscall(_CACHESTAT, descriptor, ctypes.byref(_Range(0, 0)), ctypes.byref(found), 0):
        return None
    return int(found.cache)


def by_mincore(descriptor: int) -> bytes | None:
    """A byte for each page, 1 where it is cached, as mincore(2) tells; None where the file cannot be mapped."""
    size = os.fstat(descriptor).st_size
    parts = [_in_window(descriptor, start, min(_WINDOW, size - start)) for start in range(0, size, _WINDOW)]
    return None if None in parts else b"".join(part for part in parts if part is not None)


def _in_window(descriptor: int, start: int, length: int) -> bytes | None:
    address = libc().mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, start)
    if address == FAILED:
        return None
    try:
        pages = (ctypes.c_ubyte * (-(-length // mmap.PAGESIZE)))()
        if libc().mincore(address, length, pages):
            return None
        return bytes(pages).translate(_LOWEST_BIT)
    finally:
        libc().munmap(address, length)
