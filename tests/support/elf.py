"""Writes tiny ELF files that a loader would map: headers, one read-only PT_LOAD, a dynamic section, padding."""

from __future__ import annotations

import struct

PAGE = 4096
X86_64, AARCH64, I386 = 62, 183, 3
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_ET_EXEC, _ET_DYN = 2, 3
_NEEDED, _STRTAB, _SONAME, _RPATH, _TEXTREL, _RUNPATH = 1, 5, 14, 15, 22, 29


def elf(
    text: str = "",
    *,
    needed: tuple[str, ...] = (),
    soname: str | None = None,
    interp: str | None = None,
    rpath: str | None = None,
    runpath: str | None = None,
    pages: int = 1,
    machine: int = X86_64,
    bits: int = 64,
    program: bool = False,
    textrel: bool = False,
) -> bytes:
    """An ELF file of `pages` mappable pages; `text` makes its content differ from others'. A library by default."""
    strings = bytearray(b"\0")

    def string(value: str) -> int:
        at = len(strings)
        strings.extend(value.encode() + b"\0")
        return at

    tags = [(_NEEDED, string(name)) for name in needed]
    tags += [(tag, string(v)) for tag, v in ((_SONAME, soname), (_RPATH, rpath), (_RUNPATH, runpath)) if v is not None]
    tags += [(_TEXTREL, 0)] if textrel else []
    word, headers, entry = ("Q", 64, 56) if bits == 64 else ("I", 52, 32)
    wanted = (interp or "").encode() + b"\0"
    count = 2 + (interp is not None)
    interp_at = headers + entry * count
    strings_at = interp_at + len(wanted)
    dynamic_at = strings_at + len(strings) + -(strings_at + len(strings)) % 8
    dynamic = b"".join(struct.pack(f"<{word}{word}", *tag) for tag in (*tags, (_STRTAB, strings_at), (0, 0)))
    size = pages * PAGE
    segments = [(_PT_LOAD, 5, 0, size), (_PT_DYNAMIC, 4, dynamic_at, len(dynamic))]
    if interp is not None:
        segments.append((_PT_INTERP, 4, interp_at, len(wanted)))
    data = bytearray(size)
    kind = _ET_EXEC if program or interp is not None else _ET_DYN
    struct.pack_into("<4sBBB", data, 0, b"\x7fELF", 2 if bits == 64 else 1, 1, 1)
    struct.pack_into(
        f"<HHI{word}{word}{word}IHHHHHH", data, 16, kind, machine, 1, 0, headers, 0, 0, headers, entry, count, 0, 0, 0
    )
    for number, (type_, flags, offset, length) in enumerate(segments):
        at = headers + number * entry
        if bits == 64:
            struct.pack_into("<IIQQQQQQ", data, at, type_, flags, offset, offset, offset, length, length, PAGE)
        else:
            struct.pack_into("<IIIIIIII", data, at, type_, offset, offset, offset, length, length, flags, PAGE)
    for offset, part in ((interp_at, wanted), (strings_at, bytes(strings)), (dynamic_at, dynamic)):
        data[offset : offset + len(part)] = part
    end = dynamic_at + len(dynamic)
    data[end : end + len(text.encode())] = text.encode()
    assert len(data) == size, "the strings do not fit into the pages"
    return bytes(data)


def program(text: str = "", *needed: str, pages: int = 1) -> bytes:
    """A dynamically linked executable."""
    return elf(text, needed=needed, interp="/lib64/ld-linux-x86-64.so.2", pages=pages)


def library(soname: str, *needed: str, text: str = "", pages: int = 1) -> bytes:
    """A shared library."""
    return elf(text or soname, soname=soname, needed=needed, pages=pages)


TOOLS = {f"usr/bin/{name}": library(name) for name in ("sh", "find", "cmp", "stat", "rm")}
"""What an original base has to have, so that a COPY can be compared with what it holds."""
