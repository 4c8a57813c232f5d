"""Contents are read once, never beyond what was allowed, and never while they change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from blake3 import blake3
from mappers import PAGE, evict, random_file

from memlint.kernel.bounds import SpentError
from memlint.kernel.cached import by_mincore
from memlint.kernel.contents import Contents, Remembered, UnreadError
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
        return contents.of(descriptor).described


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
            assert contents.of(descriptor, "b").described.size == 1 << 12


def old(number: int) -> Path:
    """Files that were written long ago."""
    return sorted(Path(os.__file__).parent.glob("*.py"))[number]


def test_what_is_remembered_is_not_read_in_the_next_look() -> None:
    remembered, calls = Remembered(), [0]

    def count() -> None:
        calls[0] += 1

    first = described(old(0), Contents(1 << 20, count, remembered))
    read = calls[0]
    assert described(old(0), Contents(1 << 20, count, remembered)) == first
    assert calls[0] == read > 0
    described(old(0), Contents(1 << 20, count))
    assert calls[0] == 2 * read


def test_what_has_just_been_written_is_not_remembered(tmp_path: Path) -> None:
    """Whoever writes to it again within a tick of the file system's clock leaves no trace in its times."""
    remembered, times = Remembered(), (1_000_000_000, 1_000_000_000)
    for text in (b"one", b"two"):
        (tmp_path / "file").write_bytes(text)
        os.utime(tmp_path / "file", ns=times)
        found = described(tmp_path / "file", Contents(1 << 20, nothing, remembered))
        assert found.content == "blake3:" + blake3(text).hexdigest()


def test_no_more_is_remembered_than_was_allowed() -> None:
    remembered, calls = Remembered(2), [0]

    def count() -> None:
        calls[0] += 1

    read = []
    for number in (0, 1, 0, 2, 0, 1):
        before = calls[0]
        described(old(number), Contents(1 << 20, count, remembered))
        read.append(calls[0] > before)
    assert read == [True, True, False, True, False, True]


def test_reading_leaves_the_page_cache_as_it_was(tmp_path: Path) -> None:
    """The pages that were there stay, and those that were not are gone again, also where the file ends in a part."""
    path = random_file(tmp_path / "file", 700)
    with path.open("ab") as more:
        more.write(b"end")
    evict(path)
    with opened(path) as descriptor:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # no read-ahead
        for page in (0, 3, 4, 300, 699):
            os.pread(descriptor, 1, page * PAGE)
        before = by_mincore(descriptor)
    with opened(path) as descriptor:
        found = Contents(1 << 30, nothing).of(descriptor)
        assert by_mincore(descriptor) == before
    assert found.cached_pages == 5
    assert found.described.content == "blake3:" + blake3(path.read_bytes()).hexdigest()


def test_what_was_cached_stays_cached(tmp_path: Path) -> None:
    path = random_file(tmp_path / "file", 40)
    with opened(path) as descriptor:
        assert Contents(1 << 30, nothing).of(descriptor).cached_pages == 40
        assert by_mincore(descriptor) == b"\1" * 40
