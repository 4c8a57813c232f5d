"""What of a file the page cache holds, against what was read of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mappers import PAGE, evict, mapper, random_file

from memlint.kernel.cached import Cached, by_cachestat, by_mincore, cached, cached_files, cached_pages
from memlint.kernel.looking import look


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """200 pages on a disk, none of them cached."""
    found = random_file(tmp_path / "file", 200)
    evict(found)
    return found


def test_both_calls_count_the_cached_pages(file: Path) -> None:
    with file.open("rb", buffering=0) as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # no read-ahead
        assert by_mincore(opened.fileno()) == bytes(200)
        for page in (0, 7, 150):
            os.pread(opened.fileno(), 1, page * PAGE)
        assert by_mincore(opened.fileno()) == bytes(page in (0, 7, 150) for page in range(200))
        assert by_cachestat(opened.fileno()) in (3, None)  # None before Linux 6.5
        runs = ((1, 7), (8, 150), (151, 200))
        assert cached(opened.fileno()) == Cached(3, tuple((first * PAGE, end * PAGE) for first, end in runs))


def test_a_file_that_is_not_there_has_no_figure(tmp_path: Path) -> None:
    assert cached_pages(str(tmp_path / "none")) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="frames are shown to root alone: run as root")
def test_cached_pages_are_told_beside_the_mapped_ones(tmp_path: Path) -> None:
    file = random_file(tmp_path / "file", 200)
    with mapper() as a:
        a.do(
            f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 4096 * 10, access=mmap.ACCESS_READ)"
        )
        a.do("sum(m[::4096])")
        found = next(each for each in cached_files(look([], pids=[a.pid]), page_bytes=PAGE) if each.real == str(file))
        assert (found.cached_bytes, found.mapped_bytes) == (200 * PAGE, 10 * PAGE)


@pytest.mark.skipif(os.geteuid() != 0, reason="frames are shown to root alone: run as root")
def test_what_memlint_read_itself_is_not_told_as_cached(file: Path) -> None:
    with mapper() as a:
        a.do(f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)")
        a.do("m.madvise(mmap.MADV_RANDOM); m[5 * 4096]; m[9 * 4096]")
        for _ in range(2):  # the second look finds what the first one left
            rows = cached_files(look([], pids=[a.pid]), page_bytes=PAGE)
            found = next(each for each in rows if each.real == str(file))
            assert (found.cached_bytes, found.mapped_bytes) == (2 * PAGE, 2 * PAGE)
        assert cached_pages(str(file)) == 2
