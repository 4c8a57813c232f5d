"""What pagemap says of areas, read from a file that is written as the kernel has it."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlint.kernel.bounds import SpentError
from memlint.kernel.mappings import Area
from memlint.kernel.pagemap import PAGE, frame, present

FRAME = (1 << 55) - 1
ENTRIES = st.builds(
    lambda flags, frame: flags << 55 | frame, st.integers(0, (1 << 9) - 1), st.integers(0, FRAME) | st.just(0)
)


def nothing() -> None:
    pass


@given(st.lists(ENTRIES | st.just(0), max_size=40), st.integers(0, 40))
def test_pages_of_files_alone_have_frames(entries: list[int], cut: int) -> None:
    """Present (63), not swapped out (62), and of a file (61), said of each by itself."""
    pages = [entry & FRAME if entry >> 63 and not entry >> 62 & 1 and entry >> 61 & 1 else 0 for entry in entries]
    cut = min(cut, len(pages))
    areas = [Area(0, cut * PAGE, 0, b"a"), Area(cut * PAGE, len(pages) * PAGE, 0, b"b")]
    descriptor = os.memfd_create("pagemap")
    try:
        os.write(descriptor, struct.pack(f"={len(entries)}Q", *entries))
        found = {area.file: list(frames) for area, frames in present(descriptor, areas, nothing)}
    finally:
        os.close(descriptor)
    assert found == {name: part for name, part in ((b"a", pages[:cut]), (b"b", pages[cut:])) if any(part)}


@pytest.mark.parametrize(
    "areas",
    [
        [Area(0, 3 << 30, 0, b"one large area")],
        [Area(at << 30, (at << 30) + PAGE, 0, b"many that lie apart") for at in range(6)],
    ],
)
def test_time_may_end_between_two_reads(tmp_path: Path, areas: list[Area]) -> None:
    left = [None, None]

    def check() -> None:
        if not left:
            raise SpentError
        left.pop()

    path = tmp_path / "pagemap"
    path.touch()
    os.truncate(path, (6 << 30) // PAGE * 8)
    with path.open("rb") as opened, pytest.raises(SpentError):
        list(present(opened.fileno(), areas, check))


@pytest.mark.parametrize(("order", "form"), [("little", "<"), ("big", ">")])
def test_an_entry_is_read_in_the_order_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str, form: str
) -> None:
    monkeypatch.setattr(sys, "byteorder", order)
    path = tmp_path / "pagemap"
    path.write_bytes(struct.pack(f"{form}2Q", 0, 1 << 63 | 0x1234))
    with path.open("rb") as opened:
        assert [frame(opened.fileno(), page * PAGE) for page in (0, 1)] == [0, 0x1234]
