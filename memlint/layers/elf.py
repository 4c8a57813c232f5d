"""ELF headers read from a file that passes by once, in chunks.

Layout and constants: System V gABI chapters 4 and 5; DF_1_PIE from glibc's elf.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

from memlint.model.layer import Elf

PAGE = 4096
HEAD_KEPT = 16 << 20
"""Bytes of a file's start that are kept until its end: .dynstr lies there long before .dynamic points at it."""
_STRING_MAX = 4096
_DYNAMIC_MAX = 1 << 20

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_PF_W = 2
_ET_EXEC, _ET_DYN = 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_SONAME, _DT_RPATH, _DT_TEXTREL, _DT_RUNPATH = 1, 5, 14, 15, 22, 29
_DT_FLAGS, _DT_FLAGS_1 = 30, 0x6FFFFFFB
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
    """A range of the file to be copied when it passes by."""

    __slots__ = ("data", "end", "start")

    def __init__(self, start: int, size: int) -> None:
        self.start, self.end = start, start + size
        self.data = bytearray()

    def take(self, position: int, chunk: memoryview) -> None:
        missing = self.start + len(self.data)
        if missing < self.end and position <= missing < position + len(chunk):
            self.data += chunk[missing - position : self.end - position]


class ElfScan:
    """Takes a file's chunks in order; `result` then tells what a loader would map of it."""

    __slots__ = ("_dynamic", "_head", "_header", "_position", "_segments", "_strings", "_table", "_tags")

    def __init__(self) -> None:
        self._head = bytearray()
        self._position = 0
        self._header: Header | None = None
        self._segments: list[Segment] | None = None
        self._table: _Want | None = None
        self._dynamic: _Want | None = None
        self._tags: list[tuple[int, int]] | None = None
        self._strings: dict[int, _Want] = {}

    def feed(self, chunk: memoryview) -> None:
        """The next bytes of the file; the chunk is not kept."""
        room = self._keep() - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            if self._segments is None:
                self._advance()
                # the headers may just have said that more of this very chunk is worth keeping
                if (more := self._keep() - len(self._head)) > 0:
                    self._head += chunk[room : room + more]
        self._pass(chunk)
        self._position += len(chunk)

    def result(self, size: int) -> tuple[Elf, int, str] | None:
        """(ELF facts, mappable bytes, kind) of the file of `size` bytes; None when no loader would map it."""
        self._advance()
        header, segments = self._header, self._segments
        if header is None or segments is None or header.type not in (_ET_EXEC, _ET_DYN):
            return None
        mappable = mappable_bytes(segments, size)
        if not mappable:
            return None
        elf = self._facts(header, segments)
        return elf, mappable, self._kind(header, elf)

    def _keep(self) -> int:
        """How much of the start may still be asked for."""
        if self._segments is None:
            return HEAD_KEPT
        if not any(s.type == _PT_DYNAMIC for s in self._segments):
            return PAGE
        # the linker puts .dynstr in the first loaded segment; with one segment for all, that is the whole file
        first = min((s.offset + s.filesz for s in self._segments if s.type == _PT_LOAD), default=PAGE)
        return min(max(first, PAGE), HEAD_KEPT)

    def _pass(self, chunk: memoryview) -> None:
        for want in (self._table, self._dynamic):
            if want is not None:
                want.take(self._position, chunk)
                self._advance()
        if self._dynamic is not None:
            self._dynamic.take(self._position, chunk)
            self._advance()
        for want in self._strings.values():
            want.take(self._position, chunk)

    def _advance(self) -> None:
        """Take each step that the bytes seen so far allow."""
        if self._header is None and len(self._head) >= 64:
            self._header = parse_header(self._head)
            if self._header is not None:
                self._table = _Want(self._header.phoff, self._header.phentsize * self._header.phnum)
        if self._segments is None and self._header is not None and self._table is not None:
            table = self._at(self._table)
            if table is not None:
                self._segments = parse_segments(self._header, table)
                self._dynamic = next(
                    (
                        _Want(s.offset, s.filesz)
                        for s in self._segments
                        if s.type == _PT_DYNAMIC and s.filesz <= _DYNAMIC_MAX
                    ),
                    None,
                )
        if self._tags is None and self._header is not None and self._dynamic is not None:
            dynamic = self._at(self._dynamic)
            if dynamic is not None:
                self._tags = parse_dynamic(self._header, dynamic)
                self._strings = self._wanted_strings()

    def _at(self, want: _Want) -> bytes | bytearray | None:
        if want.end <= len(self._head):
            return self._head[want.start : want.end]
        return want.data if len(want.data) == want.end - want.start else None

    def _wanted_strings(self) -> dict[int, _Want]:
        base = next((_file_offset(self._segments or [], v) for t, v in self._tags or [] if t == _DT_STRTAB), None)
        if base is None:
            return {}
        names = (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH)
        return {v: _Want(base + v, _STRING_MAX) for t, v in self._tags or [] if t in names}

    def _string(self, offset: int) -> str | None:
        want = self._strings.get(offset)
        if want is None:
            return None
        data = bytes(self._head[want.start : want.end]) if want.start < len(self._head) else bytes(want.data)
        text, end, _ = data.partition(b"\0")
        return text.decode("utf-8", "backslashreplace") if end else None

    def _facts(self, header: Header, segments: list[Segment]) -> Elf:
        machine = (header.bits, header.order, header.machine)
        upx = self._head.find(b"UPX!", 0, 1024) >= 0
        interp = self._interp(segments)
        if not any(s.type == _PT_DYNAMIC for s in segments):
            return Elf(machine, interp=interp, upx=upx)
        tags = self._tags or []
        texts = {
            tag: [self._string(v) for t, v in tags if t == tag]
            for tag in (_DT_NEEDED, _DT_SONAME, _DT_RPATH, _DT_RUNPATH)
        }
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

    def _interp(self, segments: list[Segment]) -> str | None:
        for s in segments:
            if s.type == _PT_INTERP and s.filesz <= _STRING_MAX and s.offset + s.filesz <= len(self._head):
                raw = bytes(self._head[s.offset : s.offset + s.filesz])
                return raw.partition(b"\0")[0].decode("utf-8", "backslashreplace") or None
        return None

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
    if phentsize < (56 if bits == 64 else 32):
        return None
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


def _known(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _search_path(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(part for text in _known(texts) for part in text.split(":") if part)
