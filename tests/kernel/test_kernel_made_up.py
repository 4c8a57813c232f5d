"""Hosts that are made up: /proc as a tree of files, read from another mount namespace than the host's."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from mappers import figures

from memlint.kernel.bounds import Bounds
from memlint.kernel.looking import look
from memlint.kernel.mounts import mount_of
from memlint.kernel.namespaces import aside
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Container
from memlint.kernel.unseen import hidden_frames

PAGE = os.sysconf("SC_PAGE_SIZE")
FILE_PAGE = 1 << 63 | 1 << 61
START = 0x10000 * 16
ROLLUP = "Rss: 8 kB\nPss: 8 kB\nPrivate_Clean: 8 kB\nPrivate_Dirty: 0 kB\nSwap: 0 kB\n"


class Proc:
    """A tree that looks like /proc to those who read it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "proc"
        self.host = home / "host"
        for name in ("1", "self"):
            (self.path / name / "ns").mkdir(parents=True)
        self.host.mkdir()
        (self.path / "1/ns/mnt").symlink_to("mnt:[1]")
        (self.path / "self/ns/mnt").symlink_to("mnt:[2]")  # we are in a container ourselves
        (self.path / "1/root").symlink_to(self.host)
        (self.path / "1/mountinfo").write_text("")

    def process(self, pid: int, file: Path, frames: list[int], mount: str) -> Path:
        """A process that maps `file` from its first page on; `mount` is its mount's line after the ID."""
        place = self.path / str(pid)
        for name in ("ns", "map_files"):
            (place / name).mkdir(parents=True)
        end = START + len(frames) * PAGE
        (place / "comm").write_text("made-up\n")
        (place / "ns/mnt").symlink_to("mnt:[3]")
        (place / "exe").symlink_to("/lib/x")
        (place / "maps").write_text(f"{START:08x}-{end:08x} r-xp 00000000 00:2a 77    /lib/x\n")
        (place / "smaps_rollup").write_text(ROLLUP)
        (place / "map_files" / f"{START:x}-{end:x}").symlink_to(file)
        with open(place / "pagemap", "wb") as pagemap:
            pagemap.seek(START // PAGE * 8)
            pagemap.write(struct.pack(f"={len(frames)}Q", *frames))
        (place / "stat").write_text(f"{pid} (x) S 1")
        with file.open("rb") as opened:
            (place / "mountinfo").write_text(f"{mount_of(opened.fileno())} 1 {mount}\n")
        return place


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


def test_layers_are_reached_through_the_hosts_root(proc: Proc) -> None:
    layer = proc.host / "store/real/lib"
    layer.mkdir(parents=True)
    (layer / "x").write_bytes(b"x" * 2 * PAGE)
    (proc.host / "store/l").mkdir()
    (proc.host / "store/l/AB").symlink_to("../real")
    (proc.host / "store/l/CD").symlink_to("/store/real/lib")  # absolute: of the host, not of ours
    merged = proc.home / "x"
    merged.write_bytes(b"x" * 2 * PAGE)
    frames = [FILE_PAGE | 5, FILE_PAGE | 6 | 1 << 55]
    proc.process(10, merged, frames, "0:42 / / rw - overlay overlay rw,lowerdir=/store/l/AB:/store/l/CD")
    sight = look([Container("c", "c", "i", "docker", "overlay2", "/", (10,))], proc=str(proc.path))
    (found,) = sight.residencies
    assert (found.file.real, found.file.held) == ("/store/real/lib/x", "lower")
    assert found.file.inode == (layer / "x").stat().st_ino
    assert (list(found.pages), list(found.frames)) == ([0, 1], [5, 6])
    assert sight.processes[0].program == found.file.content
    assert sight.unseen == ()


def test_layers_out_of_reach_are_said_to_be_and_frames_count_all_the_same(proc: Proc) -> None:
    merged = proc.home / "x"
    merged.write_bytes(b"x" * PAGE)
    proc.process(10, merged, [FILE_PAGE | 5], "0:42 / / rw - overlay overlay rw,lowerdir=/nowhere")
    sight = look([Container("c" * 64, "c", "i", "docker", "overlay2", "/", (10,))], proc=str(proc.path))
    (found,) = sight.residencies
    assert (found.file.owner, found.file.held) == ("c" * 64, "plain")
    (unseen,) = sight.unseen
    assert unseen.what == f"layers of the overlay at / in container {'c' * 12}"


@pytest.mark.parametrize(
    ("mount", "owner"),
    [
        ("0:42 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw", "c"),
        ("0:42 / / rw - btrfs /dev/sda rw,subvol=/x", ""),  # stat(2) tells its subvolumes apart by device
        ("8:1 / / rw - ext4 /dev/sda rw", ""),
    ],
)
def test_pages_of_fuse_overlayfs_are_the_containers_own(proc: Proc, mount: str, owner: str) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    proc.process(10, file, [FILE_PAGE | 5], mount)
    (found,) = look([Container("c", "c", "i", "podman", None, "/", (10,))], proc=str(proc.path)).residencies
    assert found.file.owner == owner


TMPFS = "0:42 / / rw - tmpfs tmpfs rw"


@pytest.mark.parametrize(
    ("mount", "mode", "path", "content", "count"),
    [
        ("0:42 / / rw - hugetlbfs none rw", "r--p", "/lib/x", b"x", 0),
        ("0:42 / / rw - sysfs sysfs rw", "r--p", "/lib/x", b"x", 0),
        (TMPFS, "r--p", "/lib/x", b"x", 1),
        (TMPFS, "r--s", "/lib/x", b"x", 1),
        (TMPFS, "rw-p", "/lib/x", b"x", 1),
        (TMPFS, "rw-s", "/lib/x", b"x", 0),  # memory that processes share
        (TMPFS, "r--s", "/lib/x (deleted)", b"x", 0),
        (TMPFS, "rw-s", "/lib/x", b"\x7fELF", 1),
        (TMPFS, "r--p", "/lib/x (deleted)", b"\x7fELF", 1),
    ],
)
def test_files_of_memory_are_files_while_they_have_a_name_and_are_not_shared_to_write(
    proc: Proc, mount: str, mode: str, path: str, content: bytes, count: int
) -> None:
    file = proc.home / "x"
    file.write_bytes(content + b"x" * PAGE)
    place = proc.process(10, file, [FILE_PAGE | 5], mount)
    maps = (place / "maps").read_text()
    (place / "maps").write_text(maps.replace("r-xp", mode).replace("/lib/x", path))
    sight = look([], pids=[10], proc=str(proc.path))
    assert (len(sight.residencies), sight.unseen) == (count, ())


def test_a_file_of_memory_that_is_written_in_one_place_is_memory_in_all(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    place = proc.process(10, file, [FILE_PAGE | 5], TMPFS)
    line = (place / "maps").read_text().partition(" r-xp ")[2]
    end = START + PAGE
    (place / "maps").write_text(f"{START:08x}-{end:08x} rw-s {line}{end + PAGE:08x}-{end + 2 * PAGE:08x} r--s {line}")
    assert look([], pids=[10], proc=str(proc.path)).residencies == ()


@pytest.mark.parametrize("path", ["/SYSV_v/python3", "/dev/zero-copy", "/i915.so", "/memfd:x (deleted)"])
@pytest.mark.parametrize("mounted", [True, False])
def test_memory_is_nameless_by_its_mount_and_not_by_its_name(proc: Proc, path: str, mounted: bool) -> None:
    """The kernel's own mounts are in no namespace; what lies on another may be called whatever it likes."""
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    place = proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw")
    (place / "maps").write_text((place / "maps").read_text().replace("/lib/x", path))
    if not mounted:
        (place / "mountinfo").write_text("")
    sight = look([], pids=[10], proc=str(proc.path))
    assert ([each.file.path for each in sight.residencies], sight.unseen) == (
        [path.removesuffix(" (deleted)")] if mounted else [],
        (),
    )


def test_a_process_behind_hidepid_is_unknown_and_not_gone(proc: Proc) -> None:
    (proc.path / "1").rename(proc.home / "1")
    container = Container("c", "c", "i", "docker", None, "/", (10,))
    sight = look([container], proc=str(proc.path))
    assert [(each.what, each.totals) for each in sight.unseen] == [("process 10", True)]
    assert "hidepid" in sight.unseen[0].reason
    (found,) = figures(sight).containers
    assert (found.rss_bytes, found.file_pages_bytes) == (None, None)


def test_a_process_is_read_through_the_thread_that_outlived_the_main_one(proc: Proc) -> None:
    """A zombie with threads: its own directory has no memory, and that of a thread has all."""
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    thread = proc.process(11, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw")
    (thread / "status").write_text("Name:\tx\nTgid:\t10\n")
    (thread / "comm").write_text("worker\n")
    main = proc.path / "10"
    for number in ("10", "11", "12"):
        (main / "task" / number).mkdir(parents=True)
    (main / "stat").write_text("10 (x) Z 1")
    (main / "comm").write_text("main\n")
    sight = look([], pids=[10], proc=str(proc.path))
    assert [(each.pid, each.command, each.walked) for each in sight.processes] == [(10, "main", True)]
    assert [each.pid for each in sight.residencies] == [10]
    (thread / "status").write_text("Name:\tx\nTgid:\t9\n")  # another's by now
    assert look([], pids=[10], proc=str(proc.path)).processes == ()


@pytest.mark.parametrize(
    ("first", "own", "said"),
    [
        ("4026531836", "4026532500", False),  # the host's /proc, seen from elsewhere
        ("4026532500", "4026532500", True),
        (None, "4026531836", False),
        (None, "4026532500", True),
        (None, None, False),
    ],
)
def test_a_pid_namespace_beside_the_host_s_is_named(proc: Proc, first: str | None, own: str | None, said: bool) -> None:
    for place, number in (("1", first), ("self", own)):
        if number is not None:
            (proc.path / place / "ns/pid").symlink_to(f"pid:[{number}]")
    found = aside(str(proc.path))
    assert (found is not None and found.totals and found.containers and "hostPID" in found.hint) == said


def test_a_kernel_without_pagemap_is_not_taken_for_one_that_hides_it(proc: Proc) -> None:
    assert hidden_frames(str(proc.path)).reason.endswith("(CONFIG_PROC_PAGE_MONITOR)")
    (proc.path / "self/pagemap").touch()
    assert "CAP_SYS_ADMIN" in hidden_frames(str(proc.path)).reason


def test_a_kernel_without_smaps_is_said_to_have_none(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    (proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw") / "smaps_rollup").unlink()
    sight = look([], pids=[10], proc=str(proc.path))
    assert [each.reason for each in sight.unseen] == ["the kernel has no smaps of it"]
    assert sight.processes[0].memory.rss_bytes is None


def test_direct_access_has_no_page_cache_and_is_said_to(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/pmem0 rw,dax=always")
    sight = look([], pids=[10], proc=str(proc.path))
    assert sight.residencies == ()
    assert [each.reason for each in sight.unseen] == ["its file system bypasses the page cache (DAX)"]


def test_absent_swapped_and_private_pages_have_no_frame_of_the_file(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * 5 * PAGE)
    frames = [0, 1 << 62 | 7, 1 << 63 | 8, FILE_PAGE | 9, FILE_PAGE | 1 << 62 | 10]
    proc.process(10, file, frames, "8:1 / / rw - ext4 /dev/sda rw")
    (found,) = look([], pids=[10], proc=str(proc.path)).residencies
    assert (list(found.pages), list(found.frames)) == ([3], [9])


def test_a_kernel_without_rollup_is_asked_for_all_mappings(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    place = proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw")
    (place / "smaps_rollup").rename(place / "smaps")
    (process,) = look([], pids=[10], proc=str(proc.path)).processes
    assert (process.memory.rss_bytes, process.memory.pss_file_bytes) == (8192, None)


def test_frames_that_the_kernel_hides_are_said_to_be_hidden(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    proc.process(10, file, [FILE_PAGE], "8:1 / / rw - ext4 /dev/sda rw")
    sight = look([], pids=[10], proc=str(proc.path))
    assert sight.residencies == ()
    assert [each.what for each in sight.unseen] == ["page frames"]
    assert not sight.processes[0].walked


def test_a_process_that_ends_between_two_questions_is_left_out(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    place = proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw")
    (place / "maps").unlink()
    sight = look([], pids=[10, 11], proc=str(proc.path))
    assert (sight.processes, sight.residencies, sight.unseen) == ((), (), ())


@pytest.mark.parametrize("file_system", ["fuse.sshfs", "fuseblk", "nfs4", "cifs"])
def test_files_that_strangers_or_other_hosts_answer_for_are_not_asked(proc: Proc, file_system: str) -> None:
    """They may never answer; so much as their size is not asked."""
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    proc.process(10, file, [FILE_PAGE | 5], f"0:42 / / rw - {file_system} x rw")
    sight = look([], pids=[10], proc=str(proc.path))
    assert sight.residencies == ()
    assert [(each.reason, each.totals) for each in sight.unseen] == [
        (f"its file system ({file_system}) may never answer", True)
    ]


def test_a_process_that_got_the_number_of_another_is_not_taken_for_it(
    proc: Proc, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw")
    begun = iter((b"1", b"2"))
    monkeypatch.setattr(ProcessDirectory, "started", lambda _: next(begun))
    sight = look([], pids=[10], proc=str(proc.path))
    assert (sight.processes, sight.residencies) == ((), ())


def test_a_process_that_maps_more_addresses_than_are_walked_is_named(proc: Proc) -> None:
    file = proc.home / "x"
    file.write_bytes(b"x" * PAGE)
    place = proc.process(10, file, [FILE_PAGE | 5], "8:1 / / rw - ext4 /dev/sda rw")
    line = (place / "maps").read_text().partition(" ")[2]
    areas = [START + number * PAGE for number in range(65)]
    (place / "maps").write_text("".join(f"{start:08x}-{start + PAGE:08x} {line}" for start in areas))
    for start in areas[1:]:
        (place / "map_files" / f"{start:x}-{start + PAGE:x}").symlink_to(file)
    sight = look([], pids=[10], bounds=Bounds(mapping_bytes=PAGE), proc=str(proc.path))
    assert [each.what for each in sight.unseen] == ["some pages of process 10"]
    assert len(sight.residencies) == 1
