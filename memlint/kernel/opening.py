"""Opening what strangers named: never a device or a pipe, nothing outside of their root, nothing that may not answer.

Even to open a device does something: a watchdog starts, a tape moves. A handle (O_PATH) tells first what is there.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

from memlint.kernel.calls import libc

_HANDLE = os.O_PATH | os.O_CLOEXEC
_OPENAT2 = 437  # the same on all architectures; Linux 5.6
_RESOLVE = 0x01 | 0x02 | 0x10
"""RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT."""
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "coda", "orangefs")


class _How(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("flags", "mode", "resolve"))


def may_not_answer(file_system: str) -> bool:
    """Whether a program that strangers run, or another host, answers for a type of file system: it may never do so."""
    fuse = file_system.startswith("fuse") and file_system != "fuse.fuse-overlayfs"
    return fuse or file_system in _REMOTE


def regular(path: str, *, directory: int | None = None) -> int:
    """A descriptor to read a regular file, whose last name is no link. OSError for all else, which stays shut."""
    return _regular(os.open(path, _HANDLE | os.O_NOFOLLOW, dir_fd=directory), path)


def followed(path: str) -> int:
    """The same through symbolic links, for what lies in the host's own directories."""
    return _regular(os.open(path, _HANDLE), path)


def reopened(handle: int) -> int:
    """A descriptor to read the regular file that a handle stands for; OSError for anything else."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.ENOTSUP, "no regular file")
    return os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)


def within(root: int, path: str) -> int:
    """A handle of what is at `path` in a directory that is somebody's root: links lead to places in it.

    OSError where there is nothing, where it lies on another mount than the root, and before Linux 5.6.
    """
    how = _How(_HANDLE, 0, _RESOLVE)
    found: int = libc().syscall(_OPENAT2, root, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return found


def _regular(handle: int, path: str) -> int:
    try:
        return reopened(handle)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(handle)
