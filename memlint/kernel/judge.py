"""Whether a file holds the frame that a process has mapped: mapped here as well, the kernel shows its frame."""

from __future__ import annotations

import ctypes
import mmap
import os

from memlint.kernel import pagemap
from memlint.kernel.calls import FAILED, libc
from memlint.kernel.opening import regular
from memlint.kernel.pagemap import PAGE


def holds(path: str, page: int, frame: int) -> bool:
    """Whether the page of the file is in this frame now. A page that is not cached is not read for it."""
    try:
        descriptor = regular(path)
    except OSError:
        return False
    try:
        if page * PAGE >= os.fstat(descriptor).st_size:
            return False
        return _frame(descriptor, page) == frame
    finally:
        os.close(descriptor)


def _frame(descriptor: int, page: int) -> int | None:
    address = libc().mmap(None, PAGE, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, page * PAGE)
    if address == FAILED:
        return None
    try:
        cached = ctypes.c_ubyte(0)
        if libc().mincore(address, PAGE, ctypes.byref(cached)) or not cached.value & 1:
            return None
        ctypes.string_at(address, 1)
        return _own_frame(address)
    finally:
        libc().munmap(address, PAGE)


def _own_frame(address: int) -> int:
    descriptor = os.open("/proc/self/pagemap", os.O_RDONLY)
    try:
        return pagemap.frame(descriptor, address)
    finally:
        os.close(descriptor)
