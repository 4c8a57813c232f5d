"""Overlays with processes on them: which file holds the frames, before and after a copy-up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mappers import PAGE, container, figures, mapper, of, random_file

from memlint.kernel.looking import look

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts overlays: run as root")


@pytest.fixture
def merged(tmp_path: Path) -> Iterator[Path]:
    for name in ("low", "up", "work", "merged"):
        (tmp_path / name).mkdir()
    random_file(tmp_path / "low/lib", 20)
    target = tmp_path / "merged"
    options = "lowerdir=low,upperdir=up,workdir=work,redirect_dir=on,metacopy=on"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, target], check=True, cwd=tmp_path)
    yield target
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
