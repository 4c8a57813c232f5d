"""Which files processes map whole, told by their content."""

from __future__ import annotations

import struct

from memlint.layers.elf import PAGE

_MAGICS = {
    b"\xda\xda\xfe\xca": "jvm-modules",
    b"\xca\xfe\xda\xda": "jvm-modules",
    b"\xa2\xba\x0b\xf0": "jvm-cds",
    b"\xf0\x0b\xba\xa2": "jvm-cds",
    b"\x09\x01\x02\xde": "locale-archive",
    b"\xde\x02\x01\x09": "locale-archive",
    b"GGUF": "gguf",
}
_ICU = b"\xda\x27"


def may_be_whole(start: bytes) -> bool:
    """Whether `whole_file_kind` could know a file that starts with these 16 bytes. Most files are done with here."""
    first = start[:1]
    return first > b"z" or first < b"#" or first in b"MG" or start[8:10] == b'{"' or start[2:4] == _ICU


def whole_file_kind(front: bytes, size: int) -> str | None:
    """The kind of a file that is mapped whole and is no ELF, from its first 512 bytes; None for all others.

    Magic numbers: OpenJDK's imageFile.hpp and cds.h, glibc's locarchive.h, ggml's gguf specification, ICU's
    ucmndata.h ("CmnD" data), safetensors' format (a length, then JSON), ECMA-335 II.25.2 (a CLI header in a PE file).
    """
    if kind := _MAGICS.get(front[:4]):
        return kind
    if front[2:4] == _ICU and front[12:16] == b"CmnD":
        return "icu"
    if front[8:10] == b'{"' and 0 < int.from_bytes(front[:8], "little") <= size - 8:
        return "safetensors"
    return "dotnet" if front[:2] == b"MZ" and _has_cli_header(front) else None


def whole_file_bytes(size: int) -> int:
    """The file's pages, in bytes."""
    return -(-size // PAGE) * PAGE


def _has_cli_header(front: bytes) -> bool:
    if len(front) < 64:
        return False
    pe = int.from_bytes(front[60:64], "little")
    if front[pe : pe + 4] != b"PE\0\0" or pe + 26 > len(front):
        return False
    directories = {0x10B: pe + 24 + 96, 0x20B: pe + 24 + 112}.get(int.from_bytes(front[pe + 24 : pe + 26], "little"))
    if directories is None or directories + 15 * 8 > len(front):
        return False
    address, length = struct.unpack_from("<II", front, directories + 14 * 8)
    return bool(address and length)
