"""What a loader would map, read from a file that passes by in chunks."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elves import (
    DYN,
    DYNAMIC,
    EXEC,
    FLAGS,
    FLAGS_1,
    FORMS,
    HERE,
    INTERP,
    LOAD,
    NEEDED,
    REL,
    RPATH,
    RUNPATH,
    SONAME,
    STRTAB,
    TEXTREL,
    Form,
    Part,
    R,
    W,
    X,
    build,
    dynamic,
    header,
    scan,
    table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from memlint.layers import elf
from memlint.layers.elf import PAGE, Segment, mappable_bytes
from memlint.model.layer import Elf

STRINGS = b"\0libc.so.6\0libm.so.6\0libown.so.1\0/opt/lib:$ORIGIN/../lib\0/run/lib\0"
NAMES = [
    (NEEDED, STRINGS.index(b"libc")),
    (NEEDED, STRINGS.index(b"libm")),
    (SONAME, STRINGS.index(b"libown")),
    (RPATH, STRINGS.index(b"/opt")),
    (RUNPATH, STRINGS.index(b"/run")),
]
LOADER = b"/lib64/ld-linux-x86-64.so.2\0"
CHUNKS = [(1 << 20,), (4096, 1 << 20), (512,), (1, 7, 4096), (100,), (64, 5000), (53,)]


def _known(form: Form, **more: Any) -> Elf:
    facts: dict[str, Any] = {
        "soname": "libown.so.1",
        "needed": ("libc.so.6", "libm.so.6"),
        "rpath": ("/opt/lib", "$ORIGIN/../lib"),
        "runpath": ("/run/lib",),
    }
    return Elf((form.bits, form.order, 62), **{**facts, **more})


def _library(form: Form, *tags: tuple[int, int], kind: int = DYN, interp: bool = False) -> bytes:
    """As ld lays it out: strings in the first segment, .dynamic in the writable one, debug sections behind."""
    base = 0x400000 if kind == EXEC else 0
    section = dynamic(form, [*NAMES, (STRTAB, base + 0x800), *tags])
    parts = [
        Part(LOAD, R, 0, base, 0x1100),
        Part(LOAD, R | X, 0x2000, base + 0x2000, 0x2345),
        Part(LOAD, R | W, 0x5000, base + 0x6000, 0x800),
        Part(DYNAMIC, R | W, 0x5100, base + 0x6100, len(section)),
    ]
    if interp:
        parts.append(Part(INTERP, R, 0x400, base + 0x400, len(LOADER)))
    return build(form, 0x8000, parts, {0x400: LOADER, 0x800: STRINGS, 0x5100: section}, kind)


@pytest.mark.parametrize("sizes", CHUNKS)
@pytest.mark.parametrize("form", FORMS)
def test_all_classes_and_byte_orders(form: Form, sizes: tuple[int, ...]) -> None:
    assert scan(_library(form), *sizes) == (_known(form), 5 * PAGE, "library")


@pytest.mark.parametrize(
    ("kind", "interp", "tags", "expected"),
    [
        (EXEC, True, (), "executable"),
        (EXEC, False, (), "executable"),
        (DYN, False, ((FLAGS_1, 0x08000001),), "executable"),
        (DYN, False, ((FLAGS_1, 1),), "library"),
        (DYN, True, (), "library"),  # libc.so.6 can be started, too, but has a soname
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_kind(form: Form, kind: int, interp: bool, tags: tuple[tuple[int, int], ...], expected: str) -> None:
    found = scan(_library(form, *tags, kind=kind, interp=interp))
    assert found is not None
    assert found[2] == expected
    assert found[0].interp == (LOADER[:-1].decode() if interp else None)


def test_a_pie_of_before_the_flag_is_told_by_its_interpreter() -> None:
    section = dynamic(HERE, [(STRTAB, 0x800), NAMES[0]])
    parts = [Part(LOAD, R, 0, 0, 0x1000), Part(DYNAMIC, R, 0x900, 0x900, len(section)), Part(INTERP, R, 0x400, 0, 28)]
    found = scan(build(HERE, 0x1000, parts, {0x400: LOADER, 0x800: STRINGS, 0x900: section}))
    assert found == (Elf((64, "<", 62), needed=("libc.so.6",), interp=LOADER[:-1].decode()), PAGE, "executable")


@pytest.mark.parametrize(("tags", "expected"), [([(TEXTREL, 0)], True), ([(FLAGS, 4)], True), ([(FLAGS, 8)], False)])
@pytest.mark.parametrize("form", FORMS)
def test_textrel(form: Form, tags: list[tuple[int, int]], expected: bool) -> None:
    found = scan(_library(form, *tags))
    assert found is not None
    assert found[0].textrel is expected


@pytest.mark.parametrize("sizes", CHUNKS)
@pytest.mark.parametrize("form", FORMS)
def test_as_patchelf_leaves_it(form: Form, sizes: tuple[int, ...]) -> None:
    """New strings, a new interpreter and a new header table in a segment at the end, long after .dynamic."""
    section = dynamic(form, [(STRTAB, 0x20000 + 0x500), *NAMES])
    parts = [
        Part(LOAD, R | X, 0, 0, 0x3000),
        Part(LOAD, R | W, 0x4000, 0x5000, 0x1000),
        Part(LOAD, R | W, 0x10000, 0x20000, 0x1000),
        Part(DYNAMIC, R | W, 0x4200, 0x5200, len(section)),
        Part(INTERP, R, 0x10400, 0x20400, len(LOADER)),
    ]
    at = {0x4200: section, 0x10500: STRINGS, 0x10400: LOADER}
    expected = (_known(form, interp=LOADER[:-1].decode()), 3 * PAGE, "library")
    assert scan(build(form, 0x11000, parts, at), *sizes) == expected
    assert scan(build(form, 0x11000, parts, at, phoff=0x10000), *sizes) == expected


@pytest.mark.parametrize("sizes", CHUNKS)
@pytest.mark.parametrize("form", FORMS)
def test_as_go_links_it(form: Form, sizes: tuple[int, ...]) -> None:
    """The code comes first; the strings are in the segment behind it, and .dynamic in the third."""
    section = dynamic(form, [(STRTAB, 0x12800), *NAMES])
    parts = [
        Part(LOAD, R | X, 0, 0, 0x8000),
        Part(LOAD, R, 0x8000, 0x10000, 0x6000),
        Part(LOAD, R | W, 0xE000, 0x20000, 0x1000),
        Part(DYNAMIC, R | W, 0xE100, 0x20100, len(section)),
    ]
    data = build(form, 0xF000, parts, {0xA800: STRINGS, 0xE100: section})
    assert scan(data, *sizes) == (_known(form), 14 * PAGE, "library")


@pytest.mark.parametrize("sizes", CHUNKS)
def test_strings_that_were_not_kept_are_lost_whatever_the_chunks(sizes: tuple[int, ...]) -> None:
    section = dynamic(HERE, [(STRTAB, 0x5000), *NAMES])
    parts = [
        Part(LOAD, R, 0, 0, 0x1000),
        Part(LOAD, R | X, 0x1000, 0x1000, 0x6000),
        Part(DYNAMIC, R, 0x6000, 0x6000, len(section)),
    ]
    found = scan(build(HERE, 0x7000, parts, {0x5000: STRINGS, 0x6000: section}), *sizes)
    assert found == (Elf((64, "<", 62), dynamic_lost=True), 7 * PAGE, "library")


def test_only_so_much_of_a_file_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one segment for all, strings behind the bound are lost, and said to be."""
    section = dynamic(HERE, [(STRTAB, 0x5000), *NAMES])
    parts = [Part(LOAD, R | X | W, 0, 0, 0x7000), Part(LOAD, R, 0, 0, 9), Part(DYNAMIC, R, 0x6000, 0, len(section))]
    parts[1] = Part(LOAD, R, 0x7000, 0x7000, 0x1000)
    data = build(HERE, 0x8000, parts, {0x5000: STRINGS, 0x6000: section})
    kept = scan(data)
    assert kept is not None
    assert kept[0] == _known(HERE)
    monkeypatch.setattr(elf, "HEAD_KEPT", 0x4000)
    for sizes in CHUNKS:
        found = scan(data, *sizes)
        assert found is not None
        assert found[0] == Elf((64, "<", 62), dynamic_lost=True)


def test_static_programs() -> None:
    data = build(HERE, 0x3000, [Part(LOAD, R | X, 0, 0x400000, 0x2001)], {}, EXEC)
    assert scan(data) == (Elf((64, "<", 62)), 3 * PAGE, "executable")


@pytest.mark.parametrize(("at", "expected"), [(0xEC, True), (1020, True), (1021, False), (2000, False)])
def test_upx(at: int, expected: bool) -> None:
    found = scan(build(HERE, 0x3000, [Part(LOAD, R | X, 0, 0, 0x2000)], {at: b"UPX!"}, EXEC))
    assert found is not None
    assert found[0].upx is expected


NOTHING = {
    "relocatable": build(HERE, 0x2000, [Part(LOAD, R, 0, 0, 0x1000)], {}, REL),
    "no segments": build(HERE, 0x2000, [], {}),
    "nothing to map": build(HERE, 0x2000, [Part(LOAD, R | W, 0, 0, 0x1000)], {}),
    "segments past the end": build(HERE, 0x2000, [Part(LOAD, R, 0x2000, 0, 0x1000)], {}),
    "empty segments": build(HERE, 0x2000, [Part(LOAD, R, 0, 0, 0)], {}),
    "table past the end": header(HERE, DYN, 62, 0x1F00, 100) + bytes(0x2000),
    "other entry size": header(HERE, DYN, 62, 64, 2, 64) + table(HERE, [Part(LOAD, R, 0, 0, 4096)] * 4) + bytes(4096),
    "a table larger than the kernel takes": header(HERE, DYN, 62, 64, 1171) + bytes(1 << 20),
    "other class": b"\x7fELF\3" + build(HERE, 0x2000, [Part(LOAD, R, 0, 0, 0x1000)], {})[5:],
    "other byte order": b"\x7fELF\2\3" + build(HERE, 0x2000, [Part(LOAD, R, 0, 0, 0x1000)], {})[6:],
    "short": build(HERE, 0x2000, [Part(LOAD, R, 0, 0, 0x1000)], {})[:63],
    "magic alone": b"\x7fELF",
    "empty": b"",
}


@pytest.mark.parametrize("sizes", CHUNKS)
@pytest.mark.parametrize("data", NOTHING.values(), ids=list(NOTHING))
def test_what_no_loader_maps(data: bytes, sizes: tuple[int, ...]) -> None:
    assert scan(data, *sizes) is None


LOST = {
    "no string table": [NAMES[0]],
    "string table nowhere": [(STRTAB, 1 << 40), NAMES[0]],
    "name past the end": [(STRTAB, 0x800), (NEEDED, 0x100000)],
    "name without end": [(STRTAB, 0x800), (NEEDED, 0x7F8)],
    "more names than any library has": [(STRTAB, 0x800), *[NAMES[0]] * 1025],
}


@pytest.mark.parametrize("tags", LOST.values(), ids=list(LOST))
def test_lost_names_are_said_to_be_lost(tags: list[tuple[int, int]]) -> None:
    section = dynamic(HERE, tags)
    parts = [Part(LOAD, R, 0, 0, 0x1000), Part(DYNAMIC, R, 0x2000, 0x2000, len(section))]
    at = {0x800: STRINGS, 0xFF8: b"x" * 0x1008, 0x2000: section}
    found = scan(build(HERE, 0x2000 + len(section), parts, at))
    assert found == (Elf((64, "<", 62), dynamic_lost=True), PAGE, "library")


def test_dynamic_section_too_large_or_cut() -> None:
    for size in (1 << 21, 0x9000):
        found = scan(build(HERE, 0x8000, [Part(LOAD, R, 0, 0, 0x1000), Part(DYNAMIC, R, 0x4000, 0, size)], {}))
        assert found == (Elf((64, "<", 62), dynamic_lost=True), PAGE, "library")


@pytest.mark.parametrize(
    ("segments", "size", "pages"),
    [
        ([(R, 0, 4096)], 10**6, 1),
        ([(R, 0, 4097)], 10**6, 2),
        ([(R, 4095, 2)], 10**6, 2),
        ([(R, 0, 5000), (R | X, 5000, 3000)], 10**6, 2),  # both in page 1, which counts once
        ([(R, 0, 5000), (R | W, 5000, 90000)], 10**6, 2),
        ([(R | W | X, 0, 90000)], 10**6, 0),
        ([(R, 8192, 100), (R, 0, 100)], 10**6, 2),
        ([(R, 0, 10**9)], 10000, 3),
        ([(R, 0, 1 << 63), (R, 1 << 63, 1 << 63)], 10000, 3),
        ([(R, 10000, 5)], 10000, 0),
        ([(R, 0, 40960), (R, 4096, 4096)], 10**6, 10),
    ],
)
def test_mappable_bytes(segments: list[tuple[int, int, int]], size: int, pages: int) -> None:
    assert mappable_bytes([Segment(LOAD, f, o, 0, n) for f, o, n in segments], size) == pages * PAGE


# Real files

REAL = sorted(
    {
        os.path.realpath(path)
        for path in (
            sys.executable,
            "/bin/true",
            "/bin/sh",
            *map(str, sorted(Path("/usr/lib").glob("*-linux-gnu*/lib[cmz].so.[0-9]"))),
            *map(str, sorted(Path("/usr/lib").glob("*-linux-gnu*/lib*crypt*.so.[0-9]*"))[:4]),
            *map(str, sorted(Path("/usr/lib").glob("*-linux-gnu*/libstdc++.so.6"))),
            *map(str, sorted(Path("/lib64").glob("ld-linux*.so.2"))),
        )
        if Path(path).exists()
    }
)
SMALL = min((Path(path).read_bytes() for path in REAL), key=len)


@pytest.mark.parametrize("path", REAL)
def test_agrees_with_pyelftools(path: str) -> None:
    data = Path(path).read_bytes()
    file = ELFFile(io.BytesIO(data))
    pages: set[int] = set()
    interp = None
    names: dict[str, list[str]] = {"DT_NEEDED": [], "DT_SONAME": [], "DT_RPATH": [], "DT_RUNPATH": []}
    segment: Any
    for segment in file.iter_segments():
        if segment["p_type"] == "PT_LOAD" and not segment["p_flags"] & W and segment["p_filesz"]:
            pages |= set(
                range(segment["p_offset"] // PAGE, (segment["p_offset"] + segment["p_filesz"] - 1) // PAGE + 1)
            )
        elif segment["p_type"] == "PT_INTERP":
            interp = segment.get_interp_name()
        elif segment["p_type"] == "PT_DYNAMIC":
            for tag in segment.iter_tags():
                if tag.entry.d_tag in names:
                    names[tag.entry.d_tag].append(getattr(tag, tag.entry.d_tag[3:].lower()))
    found = scan(data)
    assert found is not None
    facts, mappable, _ = found
    assert mappable == len(pages) * PAGE
    assert facts.interp == interp
    assert list(facts.needed) == names["DT_NEEDED"]
    assert [facts.soname or ""] == (names["DT_SONAME"] or [""])
    assert ":".join(facts.rpath) == ":".join(names["DT_RPATH"])
    assert ":".join(facts.runpath) == ":".join(names["DT_RUNPATH"])
    assert not facts.dynamic_lost
    assert scan(data, 10_007) == found


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_lies_never_raise_nor_map_more_than_the_file(data: st.DataObject) -> None:
    """Headers, program headers and dynamic sections with any bytes, the file cut anywhere, in any chunks."""
    base = data.draw(st.sampled_from([SMALL, *(_library(form, interp=True) for form in FORMS)]))
    file = bytearray(base)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(4, 64 + 56 * 12) | st.integers(0x5100, 0x5200) | st.integers(0, len(file) - 8))
        value = data.draw(
            st.sampled_from([b"\0", b"\xff", b"\xff" * 8, b"\x7f" + b"\xff" * 7, bytes(8)]) | st.binary(max_size=8)
        )
        file[at : at + len(value)] = value
    cut = data.draw(st.just(len(file)) | st.integers(0, len(file)))
    whole = bytes(file[:cut])
    found = scan(whole)
    if found is not None:
        facts, mappable, kind = found
        assert 0 < mappable <= -(-len(whole) // PAGE) * PAGE
        assert kind in ("executable", "library")
        assert len(facts.needed) <= len(whole)
    sizes = data.draw(st.lists(st.sampled_from([1, 63, 64, 512, 4095, 4096, 4097, 20_000]), min_size=1, max_size=6))
    assert scan(whole, *sizes[:-1], max(sizes[-1], 512)) == found
