from __future__ import annotations

import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_files import owners
from rpm_files import DATABASE, INT32, STRING, STRINGS, TABLE, Values, database, header, package

from memlint.errors import LayerError
from memlint.layers.packages import Databases, rpm
from memlint.layers.packages.rpm import RPM
from memlint.model.layer import Package

FILE = "usr/lib64/a.so"
OWNER = {FILE: Package("a", "1.4-3.fc40", "rpm")}
GOOD = header(package("a", ["/usr/lib64/"], [(0, "a.so")]))
HEX = GOOD.hex()
ENDLESS = "WITH RECURSIVE n(blob) AS (SELECT x'' UNION ALL SELECT x'' FROM n) SELECT blob FROM n"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The temporary directory, in which nothing may be left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"SQLite format 3\0",
        database(GOOD)[:5000],
        database(GOOD)[:-4096],
        database(schema="CREATE TABLE 'Name' (key)"),
        database(schema="CREATE TABLE Packages (hnum, data)"),
        database(schema=f"CREATE VIEW Packages AS SELECT x'{HEX}' AS blob"),
        database(schema=f"CREATE VIEW Packages AS {ENDLESS}"),
        database(None, schema=f"CREATE TABLE Packages (hnum, data, blob AS (x'{HEX}'))"),
        database(schema="CREATE VIRTUAL TABLE Packages USING fts5(blob)"),
        database(GOOD, schema=f"{TABLE}; CREATE TRIGGER t AFTER INSERT ON Packages BEGIN SELECT 1; END"),
        database(GOOD, b""),
        database(GOOD, GOOD[:-20]),
        database(GOOD, struct.pack(">II", 2**32 - 1, 2**32 - 1)),
        database(header(package("a", ["/usr/lib64/"], [(7, "a.so")]))),
        database("text", 5, 1.5),
    ],
)
def test_a_broken_database_owns_nothing(content: bytes, temporary: Path) -> None:
    assert owners({DATABASE: content}, [FILE]) == {}


@pytest.mark.parametrize("position", [8, 12])
def test_counts_and_offsets_that_lie_end_with_the_store(position: int) -> None:
    entries = range(int.from_bytes(GOOD[:4], "big"))
    for entry in entries:
        lie = bytearray(GOOD)
        lie[8 + 16 * entry + position : 12 + 16 * entry + position] = b"\xff" * 4
        assert owners({DATABASE: database(bytes(lie))}, [FILE]) in ({}, OWNER)


WHOLE = database(*[GOOD] * 30)
anywhere = st.integers(0, 200) | st.integers(0, len(WHOLE) - 1)


@given(st.dictionaries(anywhere, st.integers(0, 255), min_size=1))
def test_a_damaged_database_raises_nothing(damage: dict[int, int]) -> None:
    content = bytearray(WHOLE)
    for position, byte in damage.items():
        content[position] = byte
    assert owners({DATABASE: bytes(content)}, [FILE]).keys() <= {FILE}


def interior(child: int) -> bytes:
    """A page of 4096 bytes whose 500 children are one and the same."""
    cells = b"".join(struct.pack(">IB", child, 1) for _ in range(500))
    start = 4096 - len(cells)
    pointers = struct.pack(">500H", *range(start, 4096, 5))
    page = struct.pack(">BHHHBI", 5, 0, 500, start, 0, child) + pointers
    return page.ljust(start, b"\0") + cells


def test_a_b_tree_that_repeats_its_pages_ends_soon() -> None:
    content = database("no blob")
    first, leaf, rest = content[:4096], content[4096:8192], content[8192:]
    pages = len(content) // 4096
    levels = range(pages + 1, pages + 6)
    tree = b"".join(interior(level + 1) for level in levels) + leaf
    first = first[:28] + struct.pack(">I", pages + 6) + first[32:]
    began = time.monotonic()
    assert owners({DATABASE: first + interior(levels[0]) + rest + tree}, [FILE]) == {}
    assert time.monotonic() - began < 10


def test_a_header_above_its_limit_owns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpm, "HEADER_LIMIT", 5000)
    large: Values = package("b", ["/usr/lib64/"], [(0, "b.so")]) | {1004: (STRING, ["x" * 5000])}
    assert owners({DATABASE: database(header(large), GOOD)}, ["usr/lib64/b.so", FILE]) == OWNER


def test_a_listing_that_multiplies_its_directories_owns_nothing() -> None:
    count = 5_000
    bomb: Values = {
        1000: (STRING, ["a"]),
        1001: (STRING, ["1"]),
        1002: (STRING, ["1"]),
        1116: (INT32, [i % 2 for i in range(count)]),
        1117: (STRINGS, ["b"] * count),
        1118: (STRINGS, ["/" + "d" * 10_000, "/" + "e" * 10_000]),
    }
    assert owners({DATABASE: database(header(bomb))}, ["d" * 10_000 + "/b"]) == {}


def test_the_temporary_file_goes_when_the_layer_breaks_off(temporary: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield GOOD
        assert len(list(temporary.iterdir())) == 1
        raise LayerError("cut", "fetch it again")

    with pytest.raises(LayerError, match="cut"):
        Databases().add(DATABASE, 1000, broken())


def test_a_database_that_outgrows_its_limit_is_not_spooled_on(temporary: Path) -> None:
    chunks = iter([GOOD, bytes(RPM.limit), GOOD])
    Databases().add(DATABASE, 10, chunks)
    assert next(chunks) == GOOD


def test_no_room_for_the_temporary_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(LayerError) as raised:
        Databases().add(DATABASE, 1, iter([GOOD]))
    assert "TMPDIR" in raised.value.hint
