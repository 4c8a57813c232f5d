"""The mounts of another mount namespace, as they are seen from its own root."""

from __future__ import annotations

import ctypes
import os
from functools import partial

from memlint.kernel.calls import libc
from memlint.kernel.patience import in_time
from memlint.kernel.process import read_open

_CLONE_FS, _CLONE_NEWNS = 0x200, 0x20000
_PATIENCE = 5.0
"""Seconds: the file system of which the root is may not answer."""


def mountinfo_of(namespace: int) -> bytes:
    """mountinfo of an open mount namespace. OSError without CAP_SYS_ADMIN and CAP_SYS_CHROOT.

    A thread enters it and ends. It opens one file there, by a descriptor of our own /proc: nothing that lies in the
    namespace is looked at, whoever made it.
    """
    proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    try:
        descriptor = in_time(partial(_opened, namespace, proc), _PATIENCE)
    finally:
        os.close(proc)
    try:
        return read_open(descriptor, "mountinfo")
    finally:
        os.close(descriptor)


def _opened(namespace: int, proc: int) -> int:
    _done(libc().unshare(_CLONE_FS))  # what is the thread's root is no more that of the others
    _done(libc().setns(namespace, _CLONE_NEWNS))
    return os.open("thread-self/mountinfo", os.O_RDONLY, dir_fd=proc)


def _done(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
