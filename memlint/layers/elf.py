"""ELF headers read from a file that passes by once, in chunks.

Layout and constants: System V gABI chapters 4 and 5; DF_1_PIE from glibc's elf.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from memlint.model.layer import Elf

PAGE = 4096
HEAD_KEPT = 8 << 20
"""Bytes of a file's start that are kept until its end: .dynstr lies there long before .dynamic points at it."""
_TABLE_MAX = 1 << 16
"""The kernel's bound on a program header table (fs/binfmt_elf.c, load_elf_phdrs)."""
_HEADER_SIZE = 64
_STRING_MAX = 4096
_STRINGS_MAX = 1024
_DYNAMIC_MAX = 1 << 20

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_PF_X, _PF_W = 1, 2
_ET_EXEC, _ET_DYN = 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_TEXTREL, _DT_RUNPATH = 1, 5, 14, 15, 22, 29
_DT_FLAGS, _DT_FLAGS_1 = 30, 0x6FFFFFFB
_NAMES = (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH)
_DF_TEXTREL, _DF_1_PIE = 4, 0x08000000


class Segment(NamedTuple):
    """A program header, as far as mapping needs it."""

    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int


class Header(NamedTuple):
    """The file header's part that leads to everything else."""

    bits: int
    order: str
    type: int
    machine: int
    phoff: int
    phentsize: int
    phnum: int


class _Want:
    """A range of the file, copied from the kept head and from what passes by.

    It was told of by bytes that end at `after`. What lies before them and was not kept counts as lost, even where the
    current chunk still has it: how a file is cut into chunks must not change what is found in it.
    """

    __slots__ = ("_missing", "data", "end", "size")

    def __init__(self, start: int, size: int, head: bytearray, after: int) -> None:
        self.size, self.end = size, start + size
        self.data = head[start : self.end]
        missing = start + len(self.data)
        self._missing = missing if missing >= after else self.end

    def take(self, position: int, chunk: memoryview) -> bool:
        """Whether nothing is missing any more."""
        if position <= self._missing < min(self.end, position + len(chunk)):
            part = chunk[self._missing - position : self.end - position]
            self.data += part
            self._missing += len(part)
        return len(self.data) == self.size


class ElfScan:
    """Takes a file's chunks in order; `result` then tells what a loader would map of it."""

    __slots__ = ("_dynamic", "_head", "_header", "_interp", "_position", "_segments", "_strings", "_table", "_tags")

    def __init__(self) -> None:
        self._head = bytearray()
        self._position = 0
        self._header: Header | None = None
        self._segments: list[Segment] | None = None
        self._table: _Want | None = None
        self._dynamic: _Want | None = None
        self._interp: _Want | None = None
        self._tags: list[tuple[int, int]] | None = None
        self._strings: dict[int, _Want] = {}

    def feed(self, chunk: memoryview) -> None:
        """The next bytes of the file; the chunk is not kept."""
        if not self._position and len(chunk) > PAGE:
            self.feed(chunk[:PAGE])  # nearly always this says how much more is worth keeping
            chunk = chunk[PAGE:]
        position = self._position
        self._retain(chunk)
        if self._header is None and len(self._head) >= _HEADER_SIZE:
            self._header = parse_header(self._head)
            if self._header is not None:
                size = self._header.phentsize * self._header.phnum
                self._table = _Want(self._header.phoff, size, self._head, _HEADER_SIZE)
                self._retain(chunk)
        if self._header is not None and self._segments is None and self._table and self._table.take(position, chunk):
            self._segments = parse_segments(self._header, self._table.data)
            self._retain(chunk)
            self._interp = self._wanted(_PT_INTERP, _STRING_MAX, self._table.end)
            self._dynamic = self._wanted(_PT_DYNAMIC, _DYNAMIC_MAX, self._table.end)
        if self._interp is not None:
            self._interp.take(position, chunk)
        if self._header is not None and self._tags is None and self._dynamic and self._dynamic.take(position, chunk):
            self._tags = parse_dynamic(self._header, self._dynamic.data)
            self._strings = self._wanted_strings(self._tags, self._dynamic.end)
        for want in self._strings.values():
            want.take(position, chunk)
        self._position += len(chunk)

    def result(self, size: int) -> tuple[Elf, int, str] | None:
        """(ELF facts, mappable bytes, kind) of the file of `size` bytes; None when no loader would map it."""
        header, segments = self._header, self._segments
        if header is None or segments is None or header.type not in (_ET_EXEC, _ET_DYN):
            return None
        mappable = mappable_bytes(segments, size)
        if not mappable:
            return None
        elf = self._facts(header, segments)
        return elf, mappable, self._kind(header, elf)

    def _retain(self, chunk: memoryview) -> None:
        """Keep what the chunk adds to the head, as far as later bytes may ask for it."""
        have = len(self._head) - self._position
        if have >= 0:
            self._head += chunk[have : max(have, self._keep() - self._position)]

    def _keep(self) -> int:
        """How much of the start may still be asked for. It only grows."""
        keep = max(PAGE, self._table.end) if self._table is not None else PAGE
        if any(s.type == _PT_DYNAMIC for s in self._segments or ()):
            # linkers put .dynstr in the first read-only segment (Go's after the code), or in the one segment for all
            loads = [s for s in self._segments or () if s.type == _PT_LOAD]
            quiet = [s for s in loads if not s.flags & (_PF_X | _PF_W)] or loads
            keep = max(keep, min((s.offset + s.filesz for s in quiet), default=PAGE))
        return min(keep, HEAD_KEPT)

    def _wanted(self, kind: int, most: int, after: int) -> _Want | None:
        """The contents of the first segment of this type."""
        found = (s for s in self._segments or () if s.type == kind and s.filesz <= most)
        return next((_Want(s.offset, s.filesz, self._head, after) for s in found), None)

    def _wanted_strings(self, tags: list[tuple[int, int]], after: int) -> dict[int, _Want]:
        base = next((_file_offset(self._segments or [], v) for t, v in tags if t == _DT_STRTAB), None)
        offsets = [v for t, v in tags if t in _NAMES]
        if base is None or len(offsets) > _STRINGS_MAX:
            return {}
        return {v: _Want(base + v, _STRING_MAX, self._head, after) for v in offsets}

    def _string(self, offset: int) -> str | None:
        want = self._strings.get(offset)
        text, end, _ = want.data.partition(b"\0") if want is not None else (b"", b"", b"")
        return text.decode("utf-8", "backslashreplace") if end else None

    def _facts(self, header: Header, segments: list[Segment]) -> Elf:
        machine = (header.bits, header.order, header.machine)
        upx = self._head.find(b"UPX!", 0, 1024) >= 0
        interp = _first_text(self._interp)
        if not any(s.type == _PT_DYNAMIC for s in segments):
            return Elf(machine, interp=interp, upx=upx)
        tags = self._tags or []
        texts = {tag: [self._string(v) for t, v in tags if t == tag] for tag in _NAMES}
        lost = self._tags is None or any(text is None for found in texts.values() for text in found)
        return Elf(
            machine,
            soname=next(iter(_known(texts[_DT_SONAME])), None),
            needed=_known(texts[_DT_NEEDED]),
            interp=interp,
            rpath=_search_path(texts[_DT_RPATH]),
            runpath=_search_path(texts[_DT_RUNPATH]),
            textrel=any(t == _DT_TEXTREL or (t == _DT_FLAGS and v & _DF_TEXTREL) for t, v in tags),
            upx=upx,
            dynamic_lost=lost,
        )

    def _kind(self, header: Header, elf: Elf) -> str:
        pie = any(t == _DT_FLAGS_1 and v & _DF_1_PIE for t, v in self._tags or [])
        started = elf.interp is not None and elf.soname is None
        return "executable" if header.type == _ET_EXEC or pie or started else "library"


def parse_header(data: bytes | bytearray) -> Header | None:
    """The ELF file header at the start of `data` (at least 64 bytes); None when it is not one."""
    bits, order = {1: 32, 2: 64}.get(data[4]), {1: "<", 2: ">"}.get(data[5])
    if data[:4] != b"\x7fELF" or bits is None or order is None:
        return None
    form = "HHIQQQIHHH" if bits == 64 else "HHIIIIIHHH"
    kind, machine, _, _, phoff, _, _, _, phentsize, phnum = struct.unpack_from(order + form, data, 16)
    if phentsize != (56 if bits == 64 else 32) or phentsize * phnum > _TABLE_MAX:
        return None  # neither the kernel nor ld.so takes it
    return Header(bits, order, kind, machine, phoff, phentsize, phnum)


def parse_segments(header: Header, table: bytes | bytearray) -> list[Segment]:
    """The program headers in their table."""
    segments = []
    for at in range(0, header.phentsize * header.phnum, header.phentsize):
        if header.bits == 64:
            kind, flags, offset, vaddr, _, filesz = struct.unpack_from(header.order + "IIQQQQ", table, at)
        else:
            kind, offset, vaddr, _, filesz, _, flags = struct.unpack_from(header.order + "IIIIIII", table, at)
        segments.append(Segment(kind, flags, offset, vaddr, filesz))
    return segments


def parse_dynamic(header: Header, data: bytes | bytearray) -> list[tuple[int, int]]:
    """The (tag, value) pairs of a dynamic section, up to DT_NULL."""
    entry = struct.Struct(header.order + ("QQ" if header.bits == 64 else "II"))
    tags: list[tuple[int, int]] = []
    for tag, value in entry.iter_unpack(data[: len(data) - len(data) % entry.size]):
        if not tag:
            break
        tags.append((tag, value))
    return tags


def mappable_bytes(segments: Iterable[Segment], size: int) -> int:
    """4096 × the distinct file pages under PT_LOAD segments without PF_W, in a file of `size` bytes."""
    spans = sorted(
        (s.offset // PAGE, -(-min(s.offset + s.filesz, size) // PAGE))
        for s in segments
        if s.type == _PT_LOAD and not s.flags & _PF_W and s.filesz and s.offset < size
    )
    pages = covered = 0
    for first, last in spans:
        pages += max(0, last - max(first, covered))
        covered = max(covered, last)
    return pages * PAGE


def _file_offset(segments: Iterable[Segment], vaddr: int) -> int | None:
    return next(
        (vaddr - s.vaddr + s.offset for s in segments if s.type == _PT_LOAD and s.vaddr <= vaddr < s.vaddr + s.filesz),
        None,
    )


def _first_text(want: _Want | None) -> str | None:
    if want is None or len(want.data) < want.size:
        return None
    return want.data.partition(b"\0")[0].decode("utf-8", "backslashreplace") or None


def _known(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _search_path(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(part for text in _known(texts) for part in text.split(":") if part)
