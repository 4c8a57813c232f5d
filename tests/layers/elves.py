"""ELF files laid out freely: any class and byte order, any order of their parts."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from memlint.layers.elf import ElfScan
from memlint.model.layer import Elf

EXEC, DYN, REL = 2, 3, 1
LOAD, DYNAMIC, INTERP, NOTE = 1, 2, 3, 4
X, W, R = 1, 2, 4
NEEDED, STRTAB, SONAME, RPATH, TEXTREL, RUNPATH, FLAGS, FLAGS_1 = 1, 5, 14, 15, 22, 29, 30, 0x6FFFFFFB


class Form(NamedTuple):
    """How an ELF file writes its numbers."""

    bits: int
    order: str

    @property
    def word(self) -> str:
        return "Q" if self.bits == 64 else "I"

    @property
    def header_size(self) -> int:
        return 64 if self.bits == 64 else 52

    @property
    def entry_size(self) -> int:
        return 56 if self.bits == 64 else 32


FORMS = [Form(bits, order) for bits in (32, 64) for order in ("<", ">")]
HERE = Form(64, "<")


class Part(NamedTuple):
    """A segment: its type, flags, place in the file, address, and size in the file."""

    type: int
    flags: int
    offset: int
    vaddr: int
    size: int


def header(form: Form, kind: int, machine: int, phoff: int, phnum: int, phentsize: int | None = None) -> bytes:
    ident = b"\x7fELF" + bytes([form.bits // 32, 1 if form.order == "<" else 2, 1]) + bytes(9)
    numbers = (kind, machine, 1, 0x1000, phoff, 0, 0, form.header_size, phentsize or form.entry_size, phnum, 64, 0, 0)
    return ident + struct.pack(f"{form.order}HHI3{form.word}I6H", *numbers)


def table(form: Form, parts: Iterable[Part]) -> bytes:
    data = b""
    for kind, flags, offset, vaddr, size in parts:
        middle = (offset, vaddr, vaddr, size, size)
        numbers = (kind, flags, *middle) if form.bits == 64 else (kind, *middle, flags)
        data += struct.pack(f"{form.order}{'II6Q' if form.bits == 64 else '8I'}", *numbers, 4096)
    return data


def dynamic(form: Form, tags: Iterable[tuple[int, int]]) -> bytes:
    return b"".join(struct.pack(f"{form.order}2{form.word}", *tag) for tag in (*tags, (0, 0), (NEEDED, 0xFFFF)))


def build(form: Form, size: int, parts: list[Part], at: dict[int, bytes], kind: int = DYN, phoff: int = 0) -> bytes:
    """A file of `size` bytes with the table at `phoff` (behind the header when 0) and bytes at given offsets."""
    data = bytearray(size)
    phoff = phoff or form.header_size
    rows = table(form, parts)
    for offset, text in {0: header(form, kind, 62, phoff, len(parts)), phoff: rows, **at}.items():
        data[offset : offset + len(text)] = text
    assert len(data) == size
    return bytes(data)


def scan(data: bytes, *sizes: int) -> tuple[Elf, int, str] | None:
    """What is found when the file comes in chunks of these sizes, the last of which repeats."""
    found, at, turn = ElfScan(), 0, 0
    sizes = sizes or (1 << 20,)
    while at < len(data):
        size = sizes[min(turn, len(sizes) - 1)]
        chunk = bytearray(data[at : at + size])
        found.feed(memoryview(chunk))
        chunk[:] = bytes(len(chunk))
        at, turn = at + size, turn + 1
    return found.result(len(data))
