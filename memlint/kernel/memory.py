"""What the kernel says of a process's memory: smaps_rollup, or the sum of smaps where the kernel has none."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from memlint.kernel.process import ProcessDirectory
from memlint.model.measure import Memory

UNKNOWN = Memory(rss_bytes=None, pss_bytes=None, uss_bytes=None, swap_bytes=None)


def sizes(process: ProcessDirectory) -> bytes:
    """What the kernel says of the process's memory; OSError where it may not be read or the process has none."""
    try:
        return process.read("smaps_rollup")
    except FileNotFoundError:  # before Linux 4.14, or the process is gone
        pass
    try:
        return process.read("smaps")
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "the kernel has no smaps of it") from error


def parse(text: bytes) -> Memory:
    """The sums of each field over all mappings that `text` lists; it says kB and means KiB."""
    sums: dict[bytes, int] = {}
    for line in text.split(b"\n"):
        name, _, value = line.partition(b":")
        if value.endswith(b" kB"):
            sums[name] = sums.get(name, 0) + int(value[:-3])
    return Memory(
        rss_bytes=_total(sums, b"Rss"),
        pss_bytes=_total(sums, b"Pss"),
        uss_bytes=_total(sums, b"Private_Clean", b"Private_Dirty"),
        swap_bytes=_total(sums, b"Swap"),
        pss_file_bytes=_total(sums, b"Pss_File"),
        pss_anon_bytes=_total(sums, b"Pss_Anon"),
        pss_shmem_bytes=_total(sums, b"Pss_Shmem"),
        hugetlb_bytes=_total(sums, b"Shared_Hugetlb", b"Private_Hugetlb"),
    )


def together(memories: Iterable[Memory]) -> Memory:
    """The sum over processes; what is unknown of one is unknown of all."""
    rows = list(memories)
    sums = {name: _sum(getattr(row, name) for row in rows) for name in Memory.__struct_fields__}
    return Memory(**sums)


def _total(sums: dict[bytes, int], *names: bytes) -> int | None:
    return sum(sums[name] for name in names) * 1024 if all(name in sums for name in names) else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)
