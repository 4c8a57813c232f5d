"""Packages of what is there twice, from the databases of its container."""

from __future__ import annotations

import os
import stat
import subprocess
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from support.lacking import lacking

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.mounts import mount_of
from memlint.kernel.packages import packages_of
from memlint.kernel.residency import Container, Residency, Seen, Sight
from memlint.model.digest import ContentID
from memlint.model.layer import Package


def seen(path: str, inode: int, content: str) -> Seen:
    return Seen(path, None, "lower", 8, inode, "", 1, ContentID(content), "library", 4096, None)


def sight(*residencies: tuple[int, Seen]) -> Sight:
    containers = tuple(Container(f"c{pid}", "c", f"i{pid}", "docker", None, "/", (pid,)) for pid in (1, 2))
    rows = [Residency(pid, file, array("Q", [0]), array("Q", [file.inode])) for pid, file in residencies]
    return Sight(containers, (), tuple(rows), (), len(rows), 1.0)


TWICE = (
    (1, seen("/usr/lib/libz.so.1", 10, "z")),
    (2, seen("/lib/libz.so.1", 20, "z")),
    (2, seen("/lib/own.so", 30, "own")),
)


def packages(proc: Path, *residencies: tuple[int, Seen]) -> dict[ContentID, Package]:
    found, unseen = packages_of(sight(*residencies), proc=str(proc))
    assert unseen == []
    return found


def debian(root: Path) -> None:
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    status = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\n\n"
    (root / "var/lib/dpkg/status").write_text(status)
    (root / "var/lib/dpkg/info/zlib1g:amd64.list").write_text("/.\n/usr/lib/libz.so.1\n")


def alpine(root: Path) -> None:
    (root / "lib/apk/db").mkdir(parents=True)
    (root / "lib/apk/db/installed").write_text("P:zlib\nV:1.3-r0\nF:lib\nR:libz.so.1\nR:own.so\n\n")


@pytest.fixture(autouse=True)
def _roots(tmp_path: Path) -> None:
    """Two processes whose root is on a disk."""
    for pid in ("1", "2"):
        (tmp_path / pid / "root").mkdir(parents=True)
        mounted(tmp_path / pid, "ext4")


def mounted(process: Path, file_system: str) -> None:
    handle = os.open(process / "root", os.O_PATH)
    (process / "mountinfo").write_text(f"{mount_of(handle)} 1 8:1 / / rw - {file_system} x rw\n")
    os.close(handle)


def test_the_first_container_that_knows_a_content_names_its_package(tmp_path: Path) -> None:
    debian(tmp_path / "1/root")
    alpine(tmp_path / "2/root")
    assert packages(tmp_path, *TWICE) == {"z": Package("zlib1g", "1:1.2.13", "deb")}


def test_what_there_was_no_time_for_is_said(tmp_path: Path) -> None:
    debian(tmp_path / "1/root")
    budget = Budget(Bounds(cpu_seconds=0))
    found, unseen = packages_of(sight(*TWICE), proc=str(tmp_path), budget=budget)
    assert found == {}
    assert [(each.what, each.totals) for each in unseen] == [("the packages of files in c", False)] * 2


def test_apk_is_asked_as_well(tmp_path: Path) -> None:
    alpine(tmp_path / "2/root")
    assert packages(tmp_path, *TWICE) == {"z": Package("zlib", "1.3-r0", "apk")}


def test_what_is_there_once_is_not_looked_up(tmp_path: Path) -> None:
    alpine(tmp_path / "2/root")
    assert packages(tmp_path, *TWICE[1:]) == {}


def test_links_of_a_container_do_not_lead_out_of_it(tmp_path: Path) -> None:
    debian(tmp_path / "outside")
    (tmp_path / "1/root/var/lib").mkdir(parents=True)
    (tmp_path / "1/root/var/lib/dpkg").symlink_to(tmp_path / "outside/var/lib/dpkg")
    assert packages(tmp_path, *TWICE) == {}


def as_pipe(path: Path) -> None:
    os.mkfifo(path)


def as_device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 8))
    except PermissionError:
        lacking("leave to make a device")


@pytest.mark.parametrize("make", [as_pipe, as_device])
def test_a_database_that_is_no_file_is_not_even_opened(
    tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To open a watchdog's device as root starts it, and closing it resets the host."""
    debian(tmp_path / "1/root")
    listed = tmp_path / "1/root/var/lib/dpkg/info/zlib1g:amd64.list"
    listed.unlink()
    make(listed)
    opened = []
    real = os.open

    def watched(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).endswith(listed.name):
            opened.append(flags & os.O_PATH)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", watched)
    assert packages(tmp_path, *TWICE) == {}
    assert opened
    assert all(opened)


def test_a_root_that_a_program_answers_for_is_not_asked(tmp_path: Path) -> None:
    debian(tmp_path / "1/root")
    mounted(tmp_path / "1", "fuse.sshfs")
    assert packages(tmp_path, *TWICE) == {}


def test_databases_on_a_mount_of_their_own_are_not_asked(tmp_path: Path) -> None:
    debian(tmp_path / "1/root")
    place = tmp_path / "1/root/var/lib/dpkg"
    moved = tmp_path / "dpkg"
    place.rename(moved)
    place.mkdir()
    if subprocess.run(["mount", "--bind", str(moved), str(place)], capture_output=True).returncode:
        lacking("leave to mount")
    try:
        assert packages(tmp_path, *TWICE) == {}
    finally:
        subprocess.run(["umount", str(place)], check=True)
