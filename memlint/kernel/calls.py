"""The C library's calls that Python has no name for."""

from __future__ import annotations

import ctypes
from functools import cache

FAILED = ctypes.c_void_p(-1).value
"""What mmap gives where it fails."""


@cache
def libc() -> ctypes.CDLL:
    """The C library of this process, its calls told what they take."""
    found = ctypes.CDLL(None, use_errno=True)
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    found.mmap.restype = pointer
    found.mmap.argtypes = (pointer, size, number, number, number, ctypes.c_longlong)
    found.munmap.argtypes = (pointer, size)
    found.mincore.argtypes = (pointer, size, pointer)
    return found
