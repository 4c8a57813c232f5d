"""Pages of mapped files that the page cache holds, mapped or not: cachestat(2), else mincore(2)."""

from __future__ import annotations

import ctypes
import mmap
import os

from memlint.kernel.calls import FAILED, libc
from memlint.kernel.host import utf8
from memlint.kernel.namespaces import Namespaces
from memlint.kernel.opening import regular
from memlint.kernel.residency import Seen, Sight
from memlint.model.measure import CachedFile

_CACHESTAT = 451  # the same on all architectures; Linux 6.5
_WINDOW = 1 << 30
"""Bytes that are mapped at once for mincore."""


class _Range(ctypes.Structure):
    _fields_ = (("offset", ctypes.c_uint64), ("length", ctypes.c_uint64))


class _Stat(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("cache", "dirty", "writeback", "evicted", "recently_evicted"))


def cached_files(sight: Sight, *, page_bytes: int, proc: str = "/proc") -> tuple[CachedFile, ...]:
    """The files that were seen mapped and have a path on the host, those with most unmapped pages first.

    The real file is asked, since an overlay caches nothing itself. Files that cannot be opened are left out.
    """
    view = Namespaces(proc).view
    mapped: dict[tuple[int, int, str], tuple[Seen, set[int]]] = {}
    for each in sight.residencies:
        if each.file.real is not None:
            key = (each.file.device, each.file.inode, each.file.owner)
            mapped.setdefault(key, (each.file, set()))[1].update(each.pages)
    rows = []
    for seen, pages in mapped.values():
        cached = cached_pages(f"{view}{seen.real}")
        if cached is not None:
            rows.append(CachedFile(utf8(f"{seen.real}"), seen.content, cached * page_bytes, len(pages) * page_bytes))
    return tuple(sorted(rows, key=lambda row: (row.mapped_bytes - row.cached_bytes, row.real)))


def cached_pages(path: str) -> int | None:
    """How many pages of a file are in the page cache; None where nobody tells."""
    try:
        descriptor = regular(path)
    except OSError:
        return None
    try:
        found = by_cachestat(descriptor)
        return by_mincore(descriptor) if found is None else found
    finally:
        os.close(descriptor)


def by_cachestat(descriptor: int) -> int | None:
    """As cachestat(2) tells; None where the kernel or the file system has it not."""
    found = _Stat()
    if libc().syscall(_CACHESTAT, descriptor, ctypes.byref(_Range(0, 0)), ctypes.byref(found), 0):
        return None
    return int(found.cache)


def by_mincore(descriptor: int) -> int | None:
    """As mincore(2) tells; None where the file cannot be mapped."""
    size = os.fstat(descriptor).st_size
    parts = [_in_window(descriptor, start, min(_WINDOW, size - start)) for start in range(0, size, _WINDOW)]
    return None if None in parts else sum(part for part in parts if part is not None)


def _in_window(descriptor: int, start: int, length: int) -> int | None:
    address = libc().mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, start)
    if address == FAILED:
        return None
    try:
        pages = (ctypes.c_ubyte * (-(-length // mmap.PAGESIZE)))()
        if libc().mincore(address, length, pages):
            return None
        return sum(page & 1 for page in bytes(pages))
    finally:
        libc().munmap(address, length)
