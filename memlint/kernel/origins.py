"""Which file of a lower layer a file in an upper directory is a copy of, whatever either is called by now.

overlayfs notes it as a file handle in an extended attribute (struct ovl_fh in the kernel's fs/overlayfs/overlayfs.h).
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Sequence

from memlint.kernel.calls import libc

_HEAD = 21
"""Bytes before the handle: version, magic, length, flags, type, and the file system's UUID."""
_MAGIC, _TYPE = 0xFB, 4
_MOST = 128
"""Bytes of a handle (MAX_HANDLE_SZ)."""


class _Handle(ctypes.Structure):
    _fields_ = (("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("handle", ctypes.c_ubyte * _MOST))


def origin(noted: bytes, roots: Sequence[str]) -> tuple[int, str] | None:
    """Below which of the `roots` the file lies, and its path, by the attribute; None where it is in none of them.

    It takes CAP_DAC_READ_SEARCH. Nothing is opened but a handle.
    """
    handle = _handle(noted)
    found = ((number, _below(root, handle)) for number, root in enumerate(roots) if handle is not None)
    return next(((number, path) for number, path in found if path is not None), None)


def _handle(noted: bytes) -> _Handle | None:
    size = len(noted) - _HEAD
    if not 0 < size <= _MOST or noted[1] != _MAGIC:
        return None
    return _Handle(size, noted[_TYPE], (ctypes.c_ubyte * _MOST)(*noted[_HEAD:]))


def _below(root: str, handle: _Handle) -> str | None:
    try:
        directory = os.open(f"{root}/", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        found = libc().open_by_handle_at(directory, ctypes.byref(handle), os.O_PATH | os.O_CLOEXEC)
        if found < 0:
            return None
        try:
            return _named(root, _path(directory).rstrip("/") + "/", found)
        finally:
            os.close(found)
    finally:
        os.close(directory)


def _named(root: str, above: str, found: int) -> str | None:
    """The path of what was found, if it is a regular file that lies in the root under a name that leads to it."""
    path, status = _path(found), os.fstat(found)
    if not path.startswith(above) or not stat.S_ISREG(status.st_mode):
        return None
    real = f"{root}/{path[len(above) :]}"
    try:
        return real if os.path.samestat(os.lstat(real), status) else None
    except OSError:
        return None


def _path(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")
