"""The tar reader against every format that builders write, and against what none should."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tars import END, Read, blocks, header, member, padded, pax, read, record

from memlint.errors import LayerError
from memlint.layers.limits import MAX_EXTENDED_HEADER, MAX_EXTENDED_HEADERS, Limits
from memlint.layers.tar import RECORD, Blocks, TarReader, is_header

LONG = b"d/" * 90 + b"name"
GNU = b"ustar  \0"
BASE_256_FIVE = b"\x80" + bytes(10) + b"\x05"


def _file(path: str, data: bytes = b"") -> Read:
    return Read(path, "regular", data, "")


WELL_FORMED = {
    "ustar": (member(b"a/b", b"hello"), [_file("a/b", b"hello")]),
    "a name that fills its field": (member(b"n" * 100, b"x"), [_file("n" * 100, b"x")]),
    "ustar prefix without PAX": (member(b"c", b"x", prefix=b"p" * 120), [_file("p" * 120 + "/c", b"x")]),
    "star prefix, with times behind it": (
        header(b"c", prefix=b"p" * 131 + b"00000000000\0", tail={508: b"tar\0"}),
        [_file("p" * 131 + "/c")],
    ),
    "no prefix in GNU's format": (header(b"c", magic=GNU, prefix=b"00000000000\0"), [_file("c")]),
    "v7": (header(b"c", flag=b"\0", magic=bytes(8)), [_file("c")]),
    "v7 directory": (header(b"c/", flag=b"\0", magic=bytes(8)), [Read("c", "directory", b"", "")]),
    "a file that Go unpacks despite its slash": (member(b"c/", b"x"), [_file("c", b"x")]),
    "contiguous": (member(b"c", b"x", b"7"), [_file("c", b"x")]),
    "GNU long name": (
        member(b"././@LongLink", LONG + b"\0", b"L", magic=GNU) + member(LONG[:100], b"x", magic=GNU),
        [_file(LONG.decode(), b"x")],
    ),
    "GNU long link": (
        member(b"././@LongLink", LONG + b"\0", b"K", magic=GNU) + header(b"s", flag=b"2", link=LONG[:100], magic=GNU),
        [Read("s", "symlink", b"", LONG.decode())],
    ),
    "GNU long name and link": (
        member(b"././@LongLink", LONG + b"\0", b"K")
        + member(b"././@LongLink", b"e" + LONG + b"\0", b"L")
        + header(b"h", flag=b"1"),
        [Read("e" + LONG.decode(), "hard link", b"", LONG.decode())],
    ),
    "PAX path": (pax((b"path", LONG)) + member(b"short", b"x"), [_file(LONG.decode(), b"x")]),
    "PAX path for the next entry only": (
        pax((b"path", b"a")) + header(b"x") + header(b"y"),
        [_file("a"), _file("y")],
    ),
    "PAX value with = and newline": (pax((b"path", b"a=b\nc")) + header(b"x"), [_file("a=b\nc")]),
    "PAX linkpath": (
        pax((b"linkpath", LONG)) + header(b"s", flag=b"2", link=b"short"),
        [Read("s", "symlink", b"", LONG.decode())],
    ),
    "PAX size": (
        pax((b"size", b"5")) + header(b"a") + padded(b"hello") + header(b"b"),
        [_file("a", b"hello"), _file("b")],
    ),
    "empty PAX values take nothing away": (
        pax((b"path", b""), (b"linkpath", b""), (b"size", b"")) + member(b"a", b"x"),
        [_file("a", b"x")],
    ),
    "global PAX headers, which unpackers ignore": (
        pax((b"path", b"evil"), (b"size", b"9"), flag=b"g") + member(b"a", b"x"),
        [_file("a", b"x")],
    ),
    "two PAX headers for one entry": (
        pax((b"path", b"a")) + pax((b"size", b"1")) + header(b"x") + padded(b"y"),
        [_file("a", b"y")],
    ),
    "base-256 size": (header(b"a", BASE_256_FIVE) + padded(b"hello"), [_file("a", b"hello")]),
    "octal size padded with blanks": (header(b"a", b"         5  ") + padded(b"hello"), [_file("a", b"hello")]),
    "octal size without an end": (header(b"a", b"000000000005") + padded(b"hello"), [_file("a", b"hello")]),
    "a size of NULs": (header(b"a", bytes(12)), [_file("a")]),
    "hard link with a size, as bsdtar's": (
        header(b"h", 5, b"1", link=b"./a") + header(b"b"),
        [Read("h", "hard link", b"", "a"), _file("b")],
    ),
    "hard link from the root": (header(b"h", flag=b"1", link=b"/usr/a"), [Read("h", "hard link", b"", "usr/a")]),
    "stale linkname on a file": (header(b".wh.x", link=b"somewhere/../else"), [_file(".wh.x")]),
    "stale linkname on a directory": (header(b"d/", flag=b"5", link=b"/x"), [Read("d", "directory", b"", "")]),
    "symlinks lead anywhere": (header(b"s", flag=b"2", link=b"/../x/"), [Read("s", "symlink", b"", "/../x/")]),
    "device": (header(b"null", flag=b"3", device=(1, 3)), [Read("null", "character device", b"", "")]),
    "FIFO and block device": (
        header(b"f", flag=b"6") + header(b"b", flag=b"4"),
        [Read("f", "other", b"", ""), Read("b", "other", b"", "")],
    ),
    "directory with a size": (header(b"d", 512, b"5") + header(b"b"), [Read("d", "directory", b"", ""), _file("b")]),
    "vendor types are passed over with their data": (member(b"v", b"x" * 513, b"V") + header(b"b"), [_file("b")]),
    "./ names": (
        header(b"./", flag=b"5") + header(b".", flag=b"5") + header(b"./a") + header(b".//b") + header(b"c/./d"),
        [Read("", "directory", b"", ""), Read("", "directory", b"", ""), _file("a"), _file("b"), _file("c/d")],
    ),
    "dots in names": (
        header(b"..a") + header(b"b..") + header(b".c/...d"),
        [_file("..a"), _file("b.."), _file(".c/...d")],
    ),
    "entries repeated": (member(b"a", b"1") + member(b"a", b"2"), [_file("a", b"1"), _file("a", b"2")]),
    "names not UTF-8": (header(b"\xff\xc3\xa9"), [_file("\\xffé")]),
    "signed checksum of old tars": (
        (lambda h: h[:148] + b"%06o\0 " % (sum(h[:148] + b" " * 8 + h[156:]) - 256 * 2) + h[156:])(header(b"\xff\xfe")),
        [_file("\\xff\\xfe")],
    ),
    "nothing": (b"", []),
}


@pytest.mark.parametrize("size", [512, 1024, 1 << 20])
@pytest.mark.parametrize(("tar", "expected"), WELL_FORMED.values(), ids=list(WELL_FORMED))
def test_well_formed(tar: bytes, expected: list[Read], size: int) -> None:
    assert read(tar + END, size) == expected


BAD = {
    "checksum": (b"b" + header(b"a")[1:], "checksum"),
    "no tar at all": (b"#!/bin/sh\n" * 100, "checksum"),
    "cut inside a header": (header(b"a") + header(b"b")[:300], "within a tar header"),
    "cut inside a file": (header(b"a", 2000) + bytes(1024), "976 bytes before the end"),
    "size past the end": (header(b"a", 1 << 30) + bytes(512), "before the end of a file"),
    "base-256 size past the end": (header(b"a", b"\x80" + b"\x7f" * 11), "before the end of a file"),
    "negative base-256 size": (header(b"a", b"\xff" * 12), "negative size"),
    "negative octal size": (header(b"a", b"-00000001000"[:11] + b"\0"), "negative size"),
    "negative octal size, unterminated": (header(b"a", b"-00000001000"), "negative size"),
    "size is no number": (header(b"a", b"0000000x000\0"), "number"),
    "PAX size is no number": (pax((b"size", b"-1")) + header(b"a"), "'-1' stands where a size should"),
    "PAX size is too long": (pax((b"size", b"9" * 30)) + header(b"a"), "stands where a size should"),
    "PAX size with other digits": (pax((b"size", "٣".encode())) + header(b"a"), "stands where a size should"),
    "PAX record without length": (member(b"x", b"path=a\n", b"x") + header(b"a"), "PAX record"),
    "PAX record too long": (member(b"x", b"99 path=a\n", b"x") + header(b"a"), "PAX record"),
    "PAX record too short": (member(b"x", b"3 path=a\n", b"x") + header(b"a"), "PAX record"),
    "PAX record without newline": (member(b"x", b"9 path=ab", b"x") + header(b"a"), "PAX record"),
    "leads out": (header(b"../a"), "leads out"),
    "leads out from within": (header(b"a/../../b"), "leads out"),
    "leads out behind a dot": (header(b"./../b"), "leads out"),
    "is the parent": (header(b"..", flag=b"5"), "leads out"),
    "hard link that leads out": (header(b"h", flag=b"1", link=b"../a"), "leads out"),
    "absolute": (header(b"/etc/passwd"), "absolute name"),
    "absolute by PAX": (pax((b"path", b"/a")) + header(b"a"), "absolute name"),
    "absolute by GNU": (member(b"L", b"/a\0", b"L") + header(b"a"), "absolute name"),
    "NUL in a PAX path": (pax((b"path", b"a\0b")) + header(b"a"), "NUL byte"),
    "NUL in a PAX linkpath": (pax((b"linkpath", b"a\0b")) + header(b"a", flag=b"2"), "NUL byte"),
    "NUL in a hard link": (pax((b"linkpath", b"a\0b")) + header(b"a", flag=b"1"), "NUL byte"),
    "an endless name": (pax((b"path", b"a" * 18000)) + header(b"a"), "name of 18000 characters"),
    "endless directories": (pax((b"path", b"a/" * 300 + b"b")) + header(b"a"), "name of 601 characters"),
    "leads out from the root": (header(b"/../a"), "absolute name"),
    "a huge extended header": (header(b"x", MAX_EXTENDED_HEADER + 1, b"x"), "without end"),
    "endless extended headers": (pax((b"a", b"b")) * (MAX_EXTENDED_HEADERS + 1) + header(b"a"), "without end"),
    "endless global headers": (pax((b"a", b"b"), flag=b"g") * (MAX_EXTENDED_HEADERS + 1), "without end"),
    "a lone block of zeros": (header(b"a") + bytes(512) + header(b"b"), "goes on after a block of zeros"),
}


@pytest.mark.parametrize("size", [512, 1 << 20])
@pytest.mark.parametrize(("tar", "message"), BAD.values(), ids=list(BAD))
def test_bad(tar: bytes, message: str, size: int) -> None:
    tail = b"" if message.startswith(("within", "976")) else END
    with pytest.raises(LayerError, match=message) as caught:
        read(tar + tail, size)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_absolute_names_count_from_the_root_where_that_is_asked() -> None:
    tar = header(b"/ko-app/web") + header(b"//x/./y") + END
    assert [entry.path for entry in read(tar, limits=Limits(absolute_names=True))] == ["ko-app/web", "x/y"]
    with pytest.raises(LayerError, match="leads out"):
        read(header(b"/../a") + END, limits=Limits(absolute_names=True))


@pytest.mark.parametrize("end", [b"", bytes(512), END, bytes(20 * 512), END + header(b"b"), END + b"rubbish"])
def test_ends(end: bytes) -> None:
    """As Go's archive/tar and GNU tar: two blocks of zeros end a tar, and so does its end; what follows is ignored."""
    assert read(member(b"a", b"x") + end) == [_file("a", b"x")]


def test_everything_after_the_end_is_read() -> None:
    """So that digests cover it."""
    taken = []

    def blocks_of(data: bytes) -> list[memoryview]:
        return [memoryview(data)[at : at + 512] for at in range(0, len(data), 512)]

    def watched() -> Iterator[memoryview]:
        for block in blocks_of(header(b"a") + END + b"z" * 5000):
            taken.append(len(block))
            yield block

    assert len(list(TarReader(Blocks(watched()), Limits()))) == 1
    assert sum(taken) == 512 + 1024 + 5000


def test_entries_are_bounded() -> None:
    tar = header(b"a") * 4 + END
    assert len(read(tar, limits=Limits(max_entries=4))) == 4
    with pytest.raises(LayerError, match="more than 3 entries"):
        read(tar, limits=Limits(max_entries=3))


def test_mode_is_read_on_demand() -> None:
    (entry,) = TarReader(Blocks([memoryview(header(b"a", mode=0o4755) + END)]), Limits())
    assert entry.mode() == 0o4755


@pytest.mark.parametrize(
    ("data", "expected"),
    [(header(b"a"), True), (bytes(512), False), (b"x" * 512, False), (header(b"a")[:511], False), (b"", False)],
)
def test_is_header(data: bytes, expected: bool) -> None:
    assert is_header(data) is expected


# Sparse files

PIECES = [(0, b"\x7fELF" + b"a" * 508), (4096, b"b" * 1024), (20480, b"c" * 100)]
WHOLE = bytearray(30000)
for _offset, _piece in PIECES:
    WHOLE[_offset : _offset + len(_piece)] = _piece
DATA = padded(b"".join(piece for _, piece in PIECES))
STORED = sum(len(piece) for _, piece in PIECES)
MAP = b",".join(b"%d,%d" % (offset, len(piece)) for offset, piece in PIECES)
MAP_1_0 = b"%d\n" % len(PIECES) + MAP.replace(b",", b"\n") + b"\n"


def _octal(pieces: list[tuple[int, bytes]]) -> bytes:
    return b"".join(b"%011o\0%011o\0" % (offset, len(piece)) for offset, piece in pieces)


SPARSE = {
    "GNU old": header(b"s", STORED, b"S", magic=GNU, tail={386: _octal(PIECES), 483: b"%011o\0" % 30000}) + DATA,
    "GNU old, extended": (
        header(b"s", STORED, b"S", magic=GNU, tail={386: _octal(PIECES[:2]), 482: b"\1", 483: b"%011o\0" % 30000})
        + _octal(PIECES[2:]).ljust(512, b"\0")
        + DATA
    ),
    "PAX 0.0": (
        member(
            b"x",
            record(b"GNU.sparse.size", b"30000")
            + record(b"GNU.sparse.numblocks", b"3")
            + b"".join(
                record(b"GNU.sparse.offset", b"%d" % offset) + record(b"GNU.sparse.numbytes", b"%d" % len(piece))
                for offset, piece in PIECES
            ),
            b"x",
        )
        + header(b"s", STORED)
        + DATA
    ),
    "PAX 0.1": (
        pax((b"GNU.sparse.size", b"30000"), (b"GNU.sparse.map", MAP), (b"GNU.sparse.name", b"s"))
        + header(b"GNUSparseFile.0/s", STORED)
        + DATA
    ),
    "PAX 1.0": (
        pax(
            (b"GNU.sparse.major", b"1"),
            (b"GNU.sparse.minor", b"0"),
            (b"GNU.sparse.name", b"s"),
            (b"GNU.sparse.realsize", b"30000"),
        )
        + header(b"GNUSparseFile.0/s", STORED + 512)
        + padded(MAP_1_0)
        + DATA
    ),
}


@pytest.mark.parametrize("size", [512, 1536, 1 << 20])
@pytest.mark.parametrize("tar", SPARSE.values(), ids=list(SPARSE))
def test_sparse(tar: bytes, size: int) -> None:
    assert read(tar + member(b"next", b"x") + END, size) == [_file("s", bytes(WHOLE)), _file("next", b"x")]


@pytest.mark.parametrize("tar", SPARSE.values(), ids=list(SPARSE))
def test_sparse_files_can_be_passed_over(tar: bytes) -> None:
    entries = list(TarReader(Blocks([memoryview(tar + header(b"next") + END)]), Limits()))
    assert [(entry.path, entry.size) for entry in entries] == [("s", 30000), ("next", 0)]


def _sparse_0_1(numbers: bytes, size: int = 512, real: int = 30000) -> bytes:
    return pax((b"GNU.sparse.size", b"%d" % real), (b"GNU.sparse.map", numbers)) + header(b"s", size) + bytes(size)


def test_the_front_of_a_sparse_file_ends_at_its_first_hole() -> None:
    pieces = pax((b"GNU.sparse.size", b"4096"), (b"GNU.sparse.map", b"0,100,1000,100"))
    tar = pieces + member(b"s", b"a" * 100 + b"b" * 100) + END
    assert read(tar) == [_file("s", b"a" * 100 + bytes(900) + b"b" * 100 + bytes(2996))]


def _sparse_1_0(text: bytes) -> bytes:
    return pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.realsize", b"9")) + member(b"s", text)


BAD_SPARSE = {
    "overlap": (_sparse_0_1(b"0,100,50,100"), "overlap"),
    "backwards": (_sparse_0_1(b"1000,10,0,10"), "overlap"),
    "past its end": (_sparse_0_1(b"29999,100"), "past its end"),
    "more than its data": (_sparse_0_1(b"0,600"), "longer than its data"),
    "half a segment": (_sparse_0_1(b"0,100,200"), "half a segment"),
    "no number": (_sparse_0_1(b"0,x"), "stands where a size should"),
    "map without end": (_sparse_1_0(b"3\n1\n"), "does not end"),
    "map without a count": (_sparse_1_0(b"9" * 1024), "does not end"),
    "map with a huge count": (_sparse_1_0(padded(b"99999999\n")), "does not end"),
    "map with a negative count": (_sparse_1_0(padded(b"-1\n")), "stands where a size should"),
    "old map without end": (
        header(b"s", 0, b"S", tail={482: b"\1"}) + bytes(504) + b"\1" + bytes(7),
        "does not end",
    ),
}


@pytest.mark.parametrize(("tar", "message"), BAD_SPARSE.values(), ids=list(BAD_SPARSE))
def test_bad_sparse(tar: bytes, message: str) -> None:
    with pytest.raises(LayerError, match=message):
        read(tar)


def test_holes_are_bounded_when_they_are_read() -> None:
    tar = _sparse_0_1(b"0,512", real=1 << 40) + END
    (entry,) = TarReader(Blocks([memoryview(tar)]), Limits(max_layer_bytes=1 << 21))
    assert entry.size == 1 << 40
    with pytest.raises(LayerError, match="holes included"):
        read(tar, limits=Limits(max_layer_bytes=1 << 21))


@pytest.mark.parametrize("form", [["gnu"], *(["posix", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0"))])
def test_sparse_files_of_gnu_tar(form: list[str], tmp_path: Path) -> None:
    """A file of more pieces than one map record holds, and one that begins with a hole."""
    block = 4096
    with open(tmp_path / "many", "wb") as file:
        for number in range(40):
            file.seek(number * 64 * block)
            file.write(bytes([number + 1]) * block)
        file.truncate(3000 * block + 7)
    with open(tmp_path / "hole", "wb") as file:
        file.seek(64 * block)
        file.write(b"end")
    options = ["--sparse", f"--format={form[0]}", *form[1:], "--hole-detection=raw"]
    done = subprocess.run(
        ["tar", "-C", str(tmp_path), *options, "-cf", "-", "many", "hole"], check=True, capture_output=True
    )
    assert len(done.stdout) < 100 * block, "tar wrote the holes out"
    expected = [_file(name, (tmp_path / name).read_bytes()) for name in ("many", "hole")]
    for size in (512, 7 * 512, 1 << 20):
        assert read(done.stdout, size) == expected


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "posix"])
def test_trees_of_gnu_tar(form: str, tmp_path: Path) -> None:
    directory = tmp_path / "usr" / "lib"
    directory.mkdir(parents=True)
    (directory / "a").write_bytes(b"a" * 700)
    os.link(directory / "a", directory / "b")
    (directory / "s").symlink_to("../a")
    options = [f"--format={form}", "--sort=name"]
    done = subprocess.run(["tar", "-C", str(tmp_path), *options, "-cf", "-", "."], check=True, capture_output=True)
    assert read(done.stdout) == [
        Read("", "directory", b"", ""),
        Read("usr", "directory", b"", ""),
        Read("usr/lib", "directory", b"", ""),
        Read("usr/lib/a", "regular", b"a" * 700, ""),
        Read("usr/lib/b", "hard link", b"", "usr/lib/a"),
        Read("usr/lib/s", "symlink", b"", "../a"),
    ]


# Any tree

_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..")
)
_PATHS = st.lists(_NAMES, min_size=1, max_size=6).map("/".join)
_TYPES = {b"0": "regular", b"1": "hard link", b"2": "symlink", b"5": "directory"}


@settings(max_examples=150, deadline=None)
@given(
    entries=st.lists(
        st.tuples(_PATHS, st.sampled_from([b"0", b"0", b"1", b"2", b"5"]), st.binary(max_size=1600), _PATHS), max_size=8
    ),
    form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT]),
    records=st.sampled_from([1, 2, 3, 7, 64]),
)
def test_any_tree_is_read_back(entries: list[tuple[str, bytes, bytes, str]], form: int, records: int) -> None:
    written, expected = io.BytesIO(), []
    with tarfile.open(fileobj=written, mode="w", format=form) as tar:
        for path, flag, data, link in entries:
            info = tarfile.TarInfo(path)
            info.type, kind = flag, _TYPES[flag]
            info.linkname = link if kind in ("hard link", "symlink") else ""
            content = data if kind == "regular" else b""
            info.size = len(content)
            try:
                tar.addfile(info, io.BytesIO(content))
            except ValueError:
                continue  # too long for ustar
            expected.append(Read(path, kind, content, info.linkname))
    assert read(written.getvalue(), records * RECORD) == expected


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_is_an_error_or_goes_unnoticed_but_never_crashes(data: st.DataObject) -> None:
    tar = bytearray(data.draw(st.sampled_from([*SPARSE.values(), *(tar for tar, _ in WELL_FORMED.values())])) + END)
    at = data.draw(st.integers(0, len(tar) - 1))
    tar[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):  # a forger mends the checksum
        start = at - at % 512
        tar[start + 148 : start + 156] = b"        "
        tar[start + 148 : start + 156] = b"%06o\0 " % sum(tar[start : start + 512])
    cut = data.draw(st.integers(0, len(tar)) | st.just(len(tar)))
    assert _outcome(bytes(tar[:cut]), 512) == _outcome(bytes(tar[:cut]), 1 << 20)


def _outcome(tar: bytes, size: int) -> list[Read] | str:
    try:
        return read(tar, size, Limits(max_layer_bytes=1 << 22))
    except LayerError as error:
        return error.message


ORDINARY_BYTES = st.sampled_from([0, 0x20, 0x2F, 0x2E, 0x30, 0x31, 0x37, 0x5F, 0x61, 0x80, 0xC3, 0xFF])


@given(
    name=st.sampled_from([b"a", b"./a", b"a/", b"a//b", b"a/.b", b"a/../b", b"/a", b"\xff", b"x" * 99, b"x" * 100]),
    size=st.sampled_from(
        [0, 3, 512, 513, b"3          \0", b" 3 ", b"-0000000003\0", b"0_0_0_3\0", b"\x80" + bytes(10) + b"\3"]
    ),
    flag=st.sampled_from([b"0", b"\0", b"2", b"5", b"1", b"7", b"x", b"Z"]),
    prefix=st.sampled_from([b"", b"p"]),
    damage=st.lists(st.tuples(st.integers(0, 511), ORDINARY_BYTES), max_size=2),
    cut=st.sampled_from([512, 1024, 1 << 20]),
)
def test_the_quick_way_reads_what_the_careful_one_does(
    name: bytes, size: int | bytes, flag: bytes, prefix: bytes, damage: list[tuple[int, int]], cut: int
) -> None:
    first = bytearray(header(name, size, flag, link=b"target", prefix=prefix))
    for at, value in damage:
        first[at] = value
    tar = bytes(first) + padded(b"abc") + member(b"next", b"x" * 600) + END

    def outcome(quick: bool) -> object:
        reader = TarReader(Blocks(blocks(tar, cut)), Limits())
        if not quick:
            reader._ordinary = lambda: None  # type: ignore[method-assign]
        try:
            return [(entry, b"".join(bytes(chunk) for chunk in reader.contents())) for entry in reader]
        except LayerError as error:
            return error.message

    assert outcome(quick=True) == outcome(quick=False)
