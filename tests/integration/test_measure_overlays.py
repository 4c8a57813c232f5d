"""`memlint measure` where dev:inode lies: overlays made by hand, files copied up and deleted while they are mapped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import frames
from support.frames import PAGE, held

from .daemons import need
from .measuring import Measurement, of_processes
from .stores.processes import asleep, mounted, overlay, program_in

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def root() -> None:
    need("mount")


def agrees(report: Measurement, pids: list[int]) -> None:
    """Totals are those of an independent count."""
    expected = held(pids)
    assert report["totals"]["file_pages_bytes"] == expected.frames * PAGE
    assert report["totals"]["duplicate_bytes"] == expected.duplicate_bytes
    assert report["unseen"] == []


def of_file(pid: int, path: Path) -> set[int]:
    """The frames that a process has of a file."""
    found = frames.by_path([pid])[str(path)]
    assert found
    return found


def test_copied_up_is_another_inode(scratch: Path) -> None:
    """chmod copies the data, and who started before keeps the lower file: two copies under one st_ino."""
    program_in(scratch / "lower")
    with overlay(scratch / "o", scratch / "lower") as merged:
        program = merged / "sleep"
        number = program.stat().st_ino
        with asleep(program) as before:
            program.chmod(0o700)
            with asleep(program) as after:
                assert program.stat().st_ino == number
                old, new = of_file(before, program), of_file(after, program)
                assert old.isdisjoint(new)
                report = of_processes([before, after])
                agrees(report, [before, after])
                (twice,) = report["duplicates"]
                assert twice["copies"] == 2
                assert twice["frames"] == len(old | new)
                assert {(each["held"], each["real"]) for each in twice["placements"]} == {
                    ("lower", str(scratch / "lower/sleep")),
                    ("upper", str(scratch / "o/upper/sleep")),
                }


def test_what_was_written_is_another_content(scratch: Path) -> None:
    """A write copies up: the pages mapped before are still those of the lower file."""
    program_in(scratch / "lower")
    with overlay(scratch / "o", scratch / "lower") as merged, asleep(merged / "sleep") as before:
        # no executable that runs can be opened for writing through its overlay: another name, another inode in there
        program = merged / "sleep"
        new = shutil.copy2(program, merged / "new")
        with open(new, "ab") as file:
            file.write(b"\0")
        os.rename(new, program)
        with asleep(program) as after, asleep(scratch / "lower/sleep") as lower:
            assert of_file(lower, scratch / "lower/sleep") & of_file(before, Path(f"{program} (deleted)"))
            report = of_processes([before, after, lower])
            agrees(report, [before, after, lower])
            assert report["duplicates"] == []


def test_metacopy_shares_what_it_did_not_copy(scratch: Path) -> None:
    """With metacopy=on chmod copies up no data: two files by their names, one by its pages."""
    program_in(scratch / "lower")
    with overlay(scratch / "o", scratch / "lower", "metacopy=on", "redirect_dir=on") as merged:
        program = merged / "sleep"
        program.chmod(0o700)
        assert os.getxattr(scratch / "o/upper/sleep", "trusted.overlay.metacopy") is not None
        with asleep(program) as one, asleep(scratch / "lower/sleep") as other:
            assert of_file(one, program) & of_file(other, scratch / "lower/sleep")
            report = of_processes([one, other])
            agrees(report, [one, other])
            assert report["duplicates"] == []


def test_a_renamed_directory_is_followed(scratch: Path) -> None:
    """redirect_dir=on: the file lies in the lower layer under another name."""
    program_in(scratch / "lower/old")
    with overlay(scratch / "o", scratch / "lower", "metacopy=on", "redirect_dir=on") as merged:
        (merged / "old").rename(merged / "new")
        (merged / "new/sleep").rename(merged / "new/doze")
        program = merged / "new/doze"
        with asleep(program, called="doze") as one, asleep(scratch / "lower/old/sleep") as other:
            report = of_processes([one, other])
            agrees(report, [one, other])
            assert report["duplicates"] == []


def test_data_only_layers_share_though_their_inodes_differ(scratch: Path) -> None:
    """Two layers of metadata that both point into one layer of data."""
    data = program_in(scratch / "data").rename(scratch / "data/blob")
    for name in ("one", "other"):
        meta = scratch / name / "meta/sleep"
        meta.parent.mkdir(parents=True)
        meta.touch()
        os.truncate(meta, data.stat().st_size)
        meta.chmod(0o755)
        os.setxattr(meta, "trusted.overlay.metacopy", b"")
        os.setxattr(meta, "trusted.overlay.redirect", b"/blob")
    with (
        _data_only(scratch, "one") as one,
        _data_only(scratch, "other") as other,
        asleep(one / "sleep") as first,
        asleep(other / "sleep") as second,
    ):
        assert of_file(first, one / "sleep") & of_file(second, other / "sleep")
        report = of_processes([first, second])
        agrees(report, [first, second])
        assert report["duplicates"] == []


@contextmanager
def _data_only(scratch: Path, name: str) -> Iterator[Path]:
    options = f"ro,metacopy=on,redirect_dir=on,lowerdir={scratch / name}/meta::{scratch}/data"
    with mounted(scratch / name / "merged", "-t", "overlay", "overlay", "-o", options) as merged:
        yield merged


def test_what_replaced_a_directory_hides_it(scratch: Path) -> None:
    """An opaque directory: the lower layer's file of this path is another one."""
    program_in(scratch / "lower/bin")
    with overlay(scratch / "o", scratch / "lower") as merged:
        shutil.rmtree(merged / "bin")
        program = program_in(merged / "bin")
        with asleep(program) as one, asleep(scratch / "lower/bin/sleep") as other:
            report = of_processes([one, other])
            agrees(report, [one, other])
            (twice,) = report["duplicates"]
            assert {each["real"] for each in twice["placements"]} == {
                str(scratch / "lower/bin/sleep"),
                str(scratch / "o/upper/bin/sleep"),
            }


@pytest.mark.parametrize(
    ("place", "held_by"), [("plain", "deleted"), ("o/merged", "lower"), ("o/merged/new", "deleted")]
)
def test_a_deleted_file_keeps_its_pages(scratch: Path, place: str, held_by: str) -> None:
    """Without a name, unless it is but hidden: the lower file's."""
    program_in(scratch / "lower")
    with overlay(scratch / "o", scratch / "lower"):
        program = scratch / place / "sleep"
        if not program.exists():
            program_in(program.parent)
        with asleep(program) as one, asleep(program_in(scratch / "other")) as other:
            program.unlink()
            report = of_processes([one, other])
            agrees(report, [one, other])
            (twice,) = report["duplicates"]
            assert {each["held"] for each in twice["placements"]} == {held_by, "plain"}


def test_a_replaced_file_is_told_from_what_replaced_it(scratch: Path) -> None:
    """As package managers do it: a new file is renamed over the old one, which processes still have mapped."""
    program = program_in(scratch / "plain")
    with asleep(program) as one:
        new = program_in(scratch / "new")
        with new.open("ab") as file:
            file.write(b"\0")
        new.rename(program)
        with asleep(program) as other:
            report = of_processes([one, other])
            agrees(report, [one, other])
            assert report["duplicates"] == []


def test_btrfs_snapshots_are_told_apart(scratch: Path) -> None:
    """Equal dev:inode in maps, and yet two copies."""
    need("mkfs.btrfs", "btrfs")
    device = scratch / "device"
    with device.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.btrfs", "--quiet", str(device)], check=True, capture_output=True)
    with mounted(scratch / "b", "-o", "loop", str(device)) as place:
        for command in (["create", "one"], ["snapshot", "one", "other"]):
            subprocess.run(["btrfs", "subvolume", *command], cwd=place, check=True, capture_output=True)
            if command[0] == "create":
                program_in(place / "one")
        os.sync()
        with asleep(place / "one/sleep") as one, asleep(place / "other/sleep") as other:
            assert _device_and_inode(one) == _device_and_inode(other)
            assert of_file(one, place / "one/sleep").isdisjoint(of_file(other, place / "other/sleep"))
            report = of_processes([one, other])
            agrees(report, [one, other])
            (twice,) = report["duplicates"]
            assert twice["copies"] == 2


def _device_and_inode(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/maps").read_text().split("\n", 1)[0].split()[3:5]


def test_a_reflink_is_another_inode(scratch: Path) -> None:
    """Shared on disk, not in RAM."""
    need("mkfs.btrfs")
    device = scratch / "device"
    with device.open("wb") as file:
        file.truncate(256 << 20)
    subprocess.run(["mkfs.btrfs", "--quiet", str(device)], check=True, capture_output=True)
    with mounted(scratch / "b", "-o", "loop", str(device)) as place:
        one = program_in(place / "one")
        (place / "other").mkdir()
        subprocess.run(["cp", "--reflink=always", one, place / "other/sleep"], check=True)
        with asleep(one) as first, asleep(place / "other/sleep") as second:
            report = of_processes([first, second])
            agrees(report, [first, second])
            assert len(report["duplicates"]) == 1
