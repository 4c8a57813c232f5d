"""Processes that use one address space (vfork, clone with CLONE_VM): the kernel counts its memory for each of them."""

from __future__ import annotations

import bisect
import functools
import os
from typing import Any

from memlint.kernel.calls import libc

_KCMP = {"x86_64": 312, "i386": 349, "i686": 349}.get(os.uname().machine, 272)
_KCMP_VM = 1


class Spaces:
    """The address spaces that were met, told apart by kcmp(2), asked only where the addresses are equal."""

    def __init__(self) -> None:
        self._met: dict[bytes, list[Any]] = {}

    def is_new(self, pid: int, sizes: bytes) -> bool:
        """Whether no process before had the address space of this one, of which the kernel says `sizes`.

        Their first line has the addresses; PSS, further down, changes as others map and unmap what is shared.
        """
        key = functools.cmp_to_key(_compare)(pid)
        met = self._met.setdefault(sizes.partition(b"\n")[0], [])
        at = bisect.bisect_left(met, key)
        if at < len(met) and not key < met[at] and not met[at] < key:
            return False
        met.insert(at, key)
        return True


def _compare(one: int, other: int) -> int:
    """kcmp's order of two processes' address spaces; of the PIDs where it may not be asked."""
    found = libc().syscall(_KCMP, one, other, _KCMP_VM, 0, 0)
    return {0: 0, 1: -1, 2: 1}.get(found, one - other)
