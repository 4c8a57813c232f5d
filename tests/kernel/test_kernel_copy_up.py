"""Overlays with processes on them: which file holds the frames, before and after a copy-up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mappers import PAGE, container, figures, mapper, of, random_file

from memlint.kernel.looking import look

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts overlays: run as root")


@pytest.fixture
def merged(tmp_path: Path) -> Iterator[Path]:
    with overlaid(tmp_path, "redirect_dir=on,metacopy=on") as target:
        yield target


@pytest.fixture
def copying(tmp_path: Path) -> Iterator[Path]:
    """An overlay that copies the data up for whatever is done to a file, as engines mount it."""
    with overlaid(tmp_path, "redirect_dir=off,metacopy=off") as target:
        yield target


@contextmanager
def overlaid(home: Path, more: str) -> Iterator[Path]:
    for name in ("low", "up", "work", "merged"):
        (home / name).mkdir()
    random_file(home / "low/lib", 20)
    target = home / "merged"
    options = f"lowerdir=low,upperdir=up,workdir=work,{more}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, target], check=True, cwd=home)
    try:
        yield target
    finally:
        subprocess.run(["umount", target], check=True)


def test_a_lower_file_is_known_by_its_layer(merged: Path) -> None:
    lower = merged.parent / "low/lib"
    with mapper(merged / "lib") as a, mapper(lower) as b:
        (overlaid,) = of(look([], pids=[a.pid]), merged / "lib")
        (plain,) = of(look([], pids=[b.pid]), lower)
        assert (overlaid.file.held, overlaid.file.real) == ("lower", str(lower))
        assert overlaid.frames == plain.frames
        assert (overlaid.file.device, overlaid.file.inode) == (plain.file.device, plain.file.inode)
        assert overlaid.file.content == plain.file.content
        assert (lower.stat().st_dev, lower.stat().st_ino) == (overlaid.file.device, overlaid.file.inode)


def test_who_mapped_before_a_copy_up_still_holds_the_lower_file(merged: Path) -> None:
    with mapper(merged / "lib") as before:
        with open(merged / "lib", "r+b"):
            pass  # opened to write: copied up
        with mapper(merged / "lib") as after:
            sight = look([container(before.pid, name="a"), container(after.pid, name="b")])
            old, new = of(sight, merged / "lib")
            assert (old.pid, old.file.held, old.file.real) == (before.pid, "lower", str(merged.parent / "low/lib"))
            assert (new.pid, new.file.held, new.file.real) == (after.pid, "upper", str(merged.parent / "up/lib"))
            assert not set(old.frames) & set(new.frames)
            found = figures(sight)
            (copied,) = found.copied_up
            assert (copied.name, copied.file_pages_bytes, copied.same_content_below) == ("b", 20 * PAGE, True)
            duplicate = next(each for each in found.duplicates if each.content == new.file.content)
            assert (duplicate.cause, duplicate.copies, duplicate.frames) == ("copied up", 2, 40)


def test_one_process_may_hold_both(merged: Path) -> None:
    with mapper(merged / "lib") as a:
        with open(merged / "lib", "r+b"):
            pass
        a.do(f"f = open({str(merged / 'lib')!r}, 'rb')")
        a.do("m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); sum(m[::4096])")
        found = of(look([], pids=[a.pid]), merged / "lib")
        assert sorted((each.file.held, len(each.pages)) for each in found) == [("lower", 20), ("upper", 20)]


def test_chmod_copies_no_data_up_where_metacopy_is_on(merged: Path) -> None:
    (merged / "lib").chmod(0o700)
    with mapper(merged / "lib") as a:
        (found,) = of(look([], pids=[a.pid]), merged / "lib")
        assert (found.file.held, found.file.real) == ("lower", str(merged.parent / "low/lib"))


def test_a_file_renamed_in_the_overlay_is_found_below(merged: Path) -> None:
    (merged / "lib").rename(merged / "renamed")
    with mapper(merged / "renamed") as a:
        (found,) = of(look([], pids=[a.pid]), merged / "renamed")
        assert found.file.real == str(merged.parent / "low/lib")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_removed_from_the_overlay_is_still_the_layers(merged: Path, replaced: bool) -> None:
    with mapper(merged / "lib") as a:
        (merged / "lib").unlink()
        if replaced:
            random_file(merged / "lib", 20, seed=1)
        (found,) = of(look([], pids=[a.pid]), merged / "lib")
        assert (found.file.held, found.file.real) == ("lower", str(merged.parent / "low/lib"))
        assert len(found.pages) == 20


def test_a_file_written_and_removed_is_nobodys_but_the_containers(merged: Path) -> None:
    file = random_file(merged / "own", 3, seed=4)
    with mapper(file) as a:
        file.unlink()
        (found,) = of(look([container(a.pid)]), file)
        assert (found.file.held, found.file.real, found.file.owner) == ("deleted", None, "c" * 64)


@pytest.mark.parametrize("over", [None, "other"])
def test_a_file_that_was_moved_while_it_was_mapped_is_still_the_lower_one(copying: Path, over: str | None) -> None:
    """The move copies it up under its new name, perhaps over another file of the layers; who mapped it before has not
    one page of the copy."""
    random_file(copying.parent / "low/other", 20, seed=7)
    moved = copying / (over or "moved")
    with mapper(copying / "lib") as before, mapper(copying.parent / "low/lib") as plain:
        (copying / "lib").rename(moved)
        with mapper(moved) as after:
            sight = look([container(before.pid, name="a"), container(after.pid, name="b")], pids=[plain.pid])
            old, new = of(sight, moved)
            (lower,) = of(sight, copying.parent / "low/lib")
            assert (old.pid, old.file.held, old.file.real) == (before.pid, "lower", lower.file.real)
            assert (old.frames, old.file.inode) == (lower.frames, lower.file.inode)
            assert (new.file.held, new.file.real) == ("upper", str(copying.parent / f"up/{moved.name}"))
            (copied,) = figures(sight).copied_up
            assert (copied.name, copied.path, copied.same_content_below) == ("b", str(moved), True)


def test_what_was_written_to_after_the_move_is_another_content(copying: Path) -> None:
    with mapper(copying / "lib") as before:
        (copying / "lib").rename(copying / "moved")
        with open(copying / "moved", "r+b") as file:
            file.write(b"x" * PAGE)
        with mapper(copying / "moved") as after, mapper(copying.parent / "low/lib") as plain:
            sight = look([container(before.pid, name="a"), container(after.pid, name="b")], pids=[plain.pid])
            old, new = of(sight, copying / "moved")
            (lower,) = of(sight, copying.parent / "low/lib")
            assert old.file.content == lower.file.content != new.file.content
            assert [each.same_content_below for each in figures(sight).copied_up] == [False]


def test_a_moved_file_of_which_the_layers_do_not_tell_is_not_called_copied_up(copying: Path) -> None:
    """As on lower file systems that give no handles of files."""
    with mapper(copying / "lib") as before:
        (copying / "lib").rename(copying / "moved")
        os.setxattr(copying.parent / "up/moved", "trusted.overlay.origin", b"")
        with mapper(copying / "moved") as after:
            sight = look([container(before.pid, name="a"), container(after.pid, name="b")])
            assert [each.file.held for each in of(sight, copying / "moved")] == ["deleted", "upper"]
            assert [each.name for each in figures(sight).copied_up] == ["b"]
