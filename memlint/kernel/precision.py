"""How exact the kernel's figures are, as its build options say where they can be read."""

from __future__ import annotations

import re
import zlib

from memlint.kernel.host import Host, read
from memlint.model.measure import Unseen

_MOST = 8 * 2**20
"""Bytes of a kernel's configuration; one of all options has a twentieth."""
_AVERAGED = re.compile(rb"^CONFIG_NO_PAGE_MAPCOUNT=y$", re.MULTILINE)


def imprecise(host: Host, release: str) -> Unseen | None:
    """What to say of a kernel that counts how often a large folio is mapped, and not each of its pages.

    /proc/kpagecount gives averages then, too; memlint does not use it. Frames come from pagemap, which stays exact.
    """
    if not _AVERAGED.search(_options(host, release)):
        return None
    return Unseen(
        "exact PSS and USS",
        "this kernel (CONFIG_NO_PAGE_MAPCOUNT) knows the mappings of a large folio on average alone, so the PSS and USS"
        " of pages in one are approximate; page frames, and with them the totals, are exact",
        totals=False,
    )


def _options(host: Host, release: str) -> bytes:
    """The options that the running kernel was built with; none where no file tells."""
    packed = _read(f"{host.proc}/config.gz")
    try:
        own = zlib.decompressobj(31).decompress(packed, _MOST) if packed else b""
    except zlib.error:
        own = b""
    return own or _read(f"{host.boot}/config-{release}") or _read(f"{host.kernels}/{release}/config")


def _read(path: str) -> bytes:
    try:
        return read(path, _MOST)
    except OSError:
        return b""
