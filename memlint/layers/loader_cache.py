"""glibc's ld.so.cache: which file the loader takes for a name.

Layout: glibc, sysdeps/generic/dl-cache.h, `struct cache_file_new`; before glibc 2.32 it stood behind the old one.
"""

from __future__ import annotations

import struct

LOADER_CACHE = "etc/ld.so.cache"
_MAGIC = b"glibc-ld.so.cache1.1"
_HEADER, _ENTRY = 48, 24
_MOST = 1 << 17


def parse_loader_cache(data: bytes) -> tuple[tuple[str, str], ...]:
    """(name, absolute path) in the cache's order; () when it cannot be read.

    Entries for particular CPUs (glibc-hwcaps) are passed over: which of them is taken, only the node knows.
    """
    start = data.find(_MAGIC)
    if start < 0 or start + _HEADER > len(data):
        return ()
    order = ">" if data[start + 28] & 3 == 3 else "<"  # 3 marks a big-endian cache
    (count,) = struct.unpack_from(order + "I", data, start + 20)
    if count > _MOST or start + _HEADER + count * _ENTRY > len(data):
        return ()
    found = []
    for at in range(start + _HEADER, start + _HEADER + count * _ENTRY, _ENTRY):
        _, key, value, _, hwcap = struct.unpack_from(order + "iIIIQ", data, at)
        name, path = _text(data, start + key), _text(data, start + value)
        if name and path and not hwcap:
            found.append((name, path))
    return tuple(found)


def _text(data: bytes, at: int) -> str:
    end = data.find(b"\0", at, at + 4096)
    return data[at:end].decode("utf-8", "backslashreplace") if end > at else ""
