"""Contents are read once, never beyond what was allowed, and never while they change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from blake3 import blake3

from memlint.kernel.bounds import SpentError
from memlint.kernel.contents import Contents, UnreadError
from memlint.layers.file import Described


def nothing() -> None:
    pass


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def described(path: Path, contents: Contents) -> Described:
    with opened(path) as descriptor:
        return contents.of(descriptor)


def test_each_version_of_a_file_is_read_once(tmp_path: Path) -> None:
    calls: list[None] = []
    contents = Contents(1 << 20, lambda: calls.append(None))
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"one")
    os.link(file, link)
    first = described(file, contents)
    read = len(calls)
    assert described(link, contents) == first
    assert len(calls) == read
    file.write_bytes(b"other")
    assert described(link, contents).content == "blake3:" + blake3(b"other").hexdigest()
    assert (first.kind, first.mappable_bytes, first.elf) == ("other", 4096, None)


def test_a_file_that_changes_meanwhile_has_no_content(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")

    def write() -> None:
        os.utime(file, ns=(0, 0))

    with pytest.raises(UnreadError, match="written to meanwhile"):
        described(file, Contents(1 << 20, write))


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"four")
    assert described(tmp_path / "file", Contents(4, nothing)).size == 4
    with pytest.raises(UnreadError, match="4 bytes"):
        described(tmp_path / "file", Contents(3, nothing))


def test_reading_ends_with_the_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * (3 << 20))
    left = [None, None]

    def check() -> None:
        if not left:
            raise SpentError
        left.pop()

    with pytest.raises(SpentError):
        described(tmp_path / "file", Contents(1 << 30, check))


def test_an_owner_s_files_are_not_read_without_end(tmp_path: Path) -> None:
    """Sparse files cost their owner nothing, and whoever reads them time."""
    contents = Contents(1 << 12, nothing)
    for number in range(9):
        path = tmp_path / str(number)
        path.touch()
        os.truncate(path, 1 << 12)
        with opened(path) as descriptor:
            if number < 8:
                contents.of(descriptor, "a")
                continue
            with pytest.raises(UnreadError, match="together"):
                contents.of(descriptor, "a")
            assert contents.of(descriptor, "b").size == 1 << 12
