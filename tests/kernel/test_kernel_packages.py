"""Packages of what is there twice, from the databases of its container."""

from __future__ import annotations

from array import array
from pathlib import Path

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


def debian(root: Path) -> None:
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    status = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\n\n"
    (root / "var/lib/dpkg/status").write_text(status)
    (root / "var/lib/dpkg/info/zlib1g:amd64.list").write_text("/.\n/usr/lib/libz.so.1\n")


def alpine(root: Path) -> None:
    (root / "lib/apk/db").mkdir(parents=True)
    (root / "lib/apk/db/installed").write_text("P:zlib\nV:1.3-r0\nF:lib\nR:libz.so.1\nR:own.so\n\n")


def test_the_first_container_that_knows_a_content_names_its_package(tmp_path: Path) -> None:
    debian(tmp_path / "1/root")
    alpine(tmp_path / "2/root")
    assert packages_of(sight(*TWICE), proc=str(tmp_path)) == {"z": Package("zlib1g", "1:1.2.13", "deb")}


def test_apk_is_asked_as_well(tmp_path: Path) -> None:
    (tmp_path / "1/root").mkdir(parents=True)
    alpine(tmp_path / "2/root")
    assert packages_of(sight(*TWICE), proc=str(tmp_path)) == {"z": Package("zlib", "1.3-r0", "apk")}


def test_what_is_there_once_is_not_looked_up(tmp_path: Path) -> None:
    alpine(tmp_path / "2/root")
    assert packages_of(sight(*TWICE[1:]), proc=str(tmp_path)) == {}


def test_links_of_a_container_do_not_lead_out_of_it(tmp_path: Path) -> None:
    debian(tmp_path / "outside")
    (tmp_path / "1/root/var/lib").mkdir(parents=True)
    (tmp_path / "1/root/var/lib/dpkg").symlink_to(tmp_path / "outside/var/lib/dpkg")
    (tmp_path / "2/root").mkdir(parents=True)
    assert packages_of(sight(*TWICE), proc=str(tmp_path)) == {}
