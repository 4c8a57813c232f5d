"""Real processes of the tests' own, looked at; the kernel and a naive count say what is right."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from blake3 import blake3
from mappers import PAGE, container, figures, mapper, of, random_file
from support.frames import held
from support.lacking import lacking

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.containers.census import census
from memlint.kernel.contents import Remembered
from memlint.kernel.host import Host
from memlint.kernel.looking import look
from memlint.kernel.memory import UNKNOWN
from memlint.kernel.process import ProcessDirectory
from memlint.kernel.residency import Process
from memlint.kernel.spaces import Spaces
from memlint.kernel.unseen import Notes, hidden_frames
from memlint.kernel.walk import Walk

root = pytest.mark.skipif(os.geteuid() != 0, reason="frames are shown to root alone: run as root")


@root
def test_totals_are_those_of_a_naive_count(tmp_path: Path) -> None:
    one, same = random_file(tmp_path / "one", 40), random_file(tmp_path / "same", 40)
    other = random_file(tmp_path / "odd (deleted) \n name", 7, seed=1)
    with mapper(one, same) as a, mapper(one), mapper(same) as c:
        totals = figures(look([container(a.pid, c.pid)])).totals
        frames, pages = held([a.pid, c.pid])
        assert totals is not None
        assert (totals.file_pages_bytes, totals.distinct_bytes) == (frames * PAGE, pages * PAGE)
        assert totals.duplicate_bytes == 40 * PAGE
    with mapper(other) as d:
        (found,) = of(look([], pids=[d.pid]), other)
        assert list(found.pages) == list(range(7))
        assert found.file.content == "blake3:" + blake3(other.read_bytes()).hexdigest()
        assert (found.file.held, found.file.real) == ("plain", str(other))


@root
def test_memory_is_what_smaps_rollup_says() -> None:
    with mapper() as a, mapper() as b:
        for _ in range(50):  # other processes of this machine map the same libraries, and come and go
            before = [rollup(a.pid), rollup(b.pid)]
            sight = look([container(a.pid, b.pid)])
            if before == [rollup(a.pid), rollup(b.pid)]:
                break
        for process, kib in zip(sight.processes, before, strict=True):
            memory = process.memory
            assert memory.rss_bytes == kib["Rss"] * 1024
            assert memory.pss_bytes == kib["Pss"] * 1024
            assert memory.uss_bytes == (kib["Private_Clean"] + kib["Private_Dirty"]) * 1024
        (both,) = figures(sight).containers
        assert both.pss_bytes == sum(kib["Pss"] for kib in before) * 1024


def rollup(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}


@root
def test_pages_that_a_process_wrote_to_are_none_of_the_files(tmp_path: Path) -> None:
    file = random_file(tmp_path / "file", 10)
    with mapper() as a:
        a.do(f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)")
        a.do("sum(m[::4096]); m[0] = m[5 * 4096] = 1")
        (found,) = of(look([], pids=[a.pid]), file)
        assert list(found.pages) == [1, 2, 3, 4, 6, 7, 8, 9]


@root
def test_huge_pages_of_a_file_are_counted_as_the_small_ones_in_them(tmp_path: Path) -> None:
    file = random_file(tmp_path / "file", 2048)
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with mapper() as a:
        a.do(f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)")
        a.do("m.madvise(mmap.MADV_HUGEPAGE); sum(m[::4096])")
        (found,) = of(look([], pids=[a.pid]), file)
        assert list(found.pages) == list(range(2048))
        assert len(set(found.frames)) == 2048


@root
def test_deleted_files_are_read_all_the_same(tmp_path: Path) -> None:
    file = random_file(tmp_path / "file", 5)
    content = "blake3:" + blake3(file.read_bytes()).hexdigest()
    with mapper(file) as a:
        file.unlink()
        random_file(file, 5, seed=2)
        (found,) = of(look([], pids=[a.pid]), file)
        assert (found.file.content, found.file.held, found.file.real) == (content, "deleted", None)
        assert len(found.pages) == 5


@root
def test_memory_under_a_files_name_is_no_file() -> None:
    with mapper() as a:
        before = look([], pids=[a.pid])
        a.do("import mmap, os; z = mmap.mmap(-1, 40960); z[:] = b'x' * 40960")
        a.do("f = os.memfd_create('some'); os.truncate(f, 40960); m = mmap.mmap(f, 0); m[:] = b'y' * 40960")
        a.do("g = os.open('/dev/shm/memlint-test', os.O_RDWR | os.O_CREAT); os.unlink('/dev/shm/memlint-test')")
        a.do("os.truncate(g, 40960); n = mmap.mmap(g, 0); n[:] = b'z' * 40960")
        after = look([], pids=[a.pid])
        assert {each.file.path for each in after.residencies} == {each.file.path for each in before.residencies}
        assert after.unseen == ()


@root
def test_the_program_is_the_executables_content() -> None:
    with mapper() as a:
        (process,) = look([], pids=[a.pid]).processes
        executable = Path(os.readlink(f"/proc/{a.pid}/exe"))
        assert process.program == "blake3:" + blake3(executable.read_bytes()).hexdigest()
        assert process.command == Path(f"/proc/{a.pid}/comm").read_text().strip()


@root
def test_processes_that_are_none_any_more_are_left_out() -> None:
    gone = subprocess.Popen(["true"])
    time.sleep(0.2)  # a zombie until it is waited for
    sight = look([container(gone.pid)], pids=[2])
    assert (sight.processes, sight.residencies, sight.unseen, sight.sampled) == ((), (), (), 1.0)
    gone.wait()
    assert look([container(gone.pid)]).processes == ()


@root
def test_a_process_whose_main_thread_has_ended_is_seen_whole(tmp_path: Path) -> None:
    """It is a zombie by its own directory in /proc, and has all its memory."""
    file = random_file(tmp_path / "file", 12)
    with mapper(file) as a:
        a.leave("import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start()")
        thread = max(int(name) for name in os.listdir(f"/proc/{a.pid}/task"))
        sight = look([container(a.pid)])
        frames, pages = held([thread])
        totals = figures(sight).totals
        assert totals is not None
        assert (totals.file_pages_bytes, totals.distinct_bytes) == (frames * PAGE, pages * PAGE)
        assert len(of(sight, file)[0].pages) == 12
        assert [each.memory.rss_bytes for each in sight.processes] == [rollup(thread)["Rss"] * 1024]
        assert (sight.processes[0].pid, sight.unseen) == (a.pid, ())
        assert a.pid in {task.pid for task in census(Host()).tasks}


@root
def test_files_on_tmpfs_are_counted_as_others_are() -> None:
    with TemporaryDirectory(dir="/dev/shm") as place:
        one, same = random_file(Path(place) / "one", 30), random_file(Path(place) / "same", 30)
        with mapper(one) as a, mapper(same) as b:
            totals = figures(look([container(a.pid, b.pid)])).totals
            frames, pages = held([a.pid, b.pid])
            assert totals is not None
            assert (totals.file_pages_bytes, totals.distinct_bytes) == (frames * PAGE, pages * PAGE)
            assert totals.duplicate_bytes == 30 * PAGE


@root
def test_one_address_space_counts_once() -> None:
    with mapper() as a, mapper() as b:
        a.do(_CLONE)
        child = int(Path(f"/proc/{a.pid}/task/{a.pid}/children").read_text())
        try:
            pids = [process.pid for process in look([container(a.pid, child, b.pid)]).processes]
            assert pids == [a.pid, b.pid]
        finally:
            os.kill(child, signal.SIGKILL)


_CLONE = (
    "import ctypes; s = ctypes.create_string_buffer(65536); l = ctypes.CDLL(None); "
    "top = ctypes.c_void_p((ctypes.addressof(s) + 65000) & ~15); "
    "l.clone(ctypes.cast(l.pause, ctypes.c_void_p), top, 0x100 | 17, None)"
)


@root
def test_large_mappings_are_walked_only_when_asked(tmp_path: Path) -> None:
    file = random_file(tmp_path / "file", 50)
    with mapper(file) as a:
        bounded = look([], pids=[a.pid], bounds=Bounds(mapping_bytes=49 * PAGE))
        assert not of(bounded, file)
        assert [each.what for each in bounded.unseen if str(file) in each.what]
        assert len(of(look([], pids=[a.pid], bounds=Bounds(mapping_bytes=50 * PAGE)), file)[0].pages) == 50


@root
def test_files_without_a_page_to_count_are_not_read(tmp_path: Path) -> None:
    """Neither what is too large to be walked, nor what is mapped and was not touched: a limit would say so."""
    large, untouched = random_file(tmp_path / "large", 50), random_file(tmp_path / "untouched", 5)
    with mapper(large) as a:
        a.do(f"import mmap; f = open({str(untouched)!r}, 'rb'); n = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)")
        bounds = Bounds(mapping_bytes=49 * PAGE, file_bytes=1)
        unseen = [each for each in look([], pids=[a.pid], bounds=bounds).unseen if str(tmp_path) in each.what]
    assert [(each.what, each.reason) for each in unseen] == [
        (f"pages of {large}", f"a mapping of {50 * PAGE} bytes is more than is walked")
    ]


@root
def test_contents_that_are_too_large_are_said_to_be(tmp_path: Path) -> None:
    """Of a process whose files could not be read at all nothing is known, which is not nothing."""
    file = random_file(tmp_path / "file", 50)
    with mapper(file) as a, mapper() as b:
        bounded = look([container(a.pid)], pids=[b.pid], bounds=Bounds(file_bytes=1))
        assert bounded.residencies == ()
        assert any(str(file) in each.what for each in bounded.unseen)
        found = figures(bounded)
        assert found.totals is None
        assert [found.containers[0].file_pages_bytes, found.images[0].file_pages_bytes] == [None, None]
        assert {process.file_pages_bytes for process in found.processes} == {None}
        assert all(process.rss_bytes for process in found.processes)


@root
def test_a_remembered_content_is_not_read_again() -> None:
    with mapper() as a:
        remembered = Remembered()
        first = look([], pids=[a.pid], remembered=remembered)
        again = look([], pids=[a.pid], remembered=remembered)
        reads = {each.file.cached_pages is None for each in again.residencies if _is_old(each.file.path)}
    assert {each.file.content for each in again.residencies} == {each.file.content for each in first.residencies}
    assert reads == {True}  # what is read is asked for before


def _is_old(path: str) -> bool:
    return os.stat(path).st_ctime < time.time() - 60


@root
def test_pages_beyond_the_content_that_was_read_are_none_of_it(tmp_path: Path) -> None:
    """A file that grows while processes are looked into: what is counted fits the content, and the rest is noted."""
    file = random_file(tmp_path / "grows", 3)
    notes, budget = Notes(), Budget(Bounds())
    walk = Walk("/proc", Bounds(), budget, notes)
    with mapper(file) as a, mapper() as b:
        with ProcessDirectory("/proc", a.pid) as process:
            walk.of(process, Process(a.pid, "a", None, None, UNKNOWN))
        with file.open("ab") as more:
            more.write(bytes(4 * PAGE))
        b.do(f"import mmap; f = open({str(file)!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)")
        b.do("sum(m[::4096])")
        with ProcessDirectory("/proc", b.pid) as process:
            walk.of(process, Process(b.pid, "b", None, None, UNKNOWN))
    found = {each.pid: each for each in walk.residencies if each.file.path == str(file)}
    assert list(found[b.pid].pages) == [0, 1, 2] == list(found[a.pid].pages)
    assert list(found[b.pid].frames) == list(found[a.pid].frames)
    assert [each.reason for each in notes.unseen() if str(file) in each.what] == ["it was written to meanwhile"]


@root
def test_a_sample_has_processes_of_each_container() -> None:
    with ExitStack() as stack:
        pids = [stack.enter_context(mapper()).pid for _ in range(6)]
        containers = [container(*pids[:5], name="a"), container(pids[5], name="b")]
        sight = look(containers, bounds=Bounds(sample=0.4))
        walked = {process.pid for process in sight.processes if process.walked}
        assert len(sight.processes) == 6
        assert len(walked & set(pids[:5])) == 2
        assert pids[5] in walked
        assert sight.sampled == 0.5
        assert {each.pid for each in sight.residencies} == walked
        found = figures(sight)
        assert [process.file_pages_bytes is None for process in found.processes] == [pid not in walked for pid in pids]
        assert all(process.rss_bytes for process in found.processes)


@root
@pytest.mark.parametrize("bounds", [Bounds(seconds=0), Bounds(cpu_seconds=0)])
def test_what_there_is_no_time_for_is_unseen(bounds: Bounds) -> None:
    with mapper() as a, mapper() as b:
        sight = look([container(a.pid, b.pid)], bounds=bounds)
        assert sight.sampled == 0
        assert [each.what for each in sight.unseen] == [f"2 processes ({a.pid}, {b.pid})"]
        found = figures(sight)
        assert found.totals is None
        (each,) = found.containers
        assert (each.rss_bytes, each.file_pages_bytes, each.duplicate_bytes) == (None, None, None)


def test_without_rights_own_memory_is_seen_and_frames_are_said_to_be_missing() -> None:
    found = _as_nobody()
    assert found["unseen"] == ["page frames", "process 1"]
    assert (found["walked"], found["residencies"], found["totals"]) == (0, 0, None)
    assert found["pss"] > 0
    assert found["file_pages"] is None


def _as_nobody() -> dict[str, Any]:
    """What a user without rights sees of a process of his own and of one of root's."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, which setuid takes away
        with subprocess.Popen(["sleep", "60"]) as sleeper:
            time.sleep(0.2)
            sight = look([container(sleeper.pid)], pids=[1])
            found = figures(sight)
            sleeper.kill()
        told = {
            "unseen": sorted(each.what for each in sight.unseen),
            "walked": sum(process.walked for process in sight.processes),
            "residencies": len(sight.residencies),
            "totals": found.totals,
            "pss": found.containers[0].pss_bytes,
            "file_pages": found.containers[0].file_pages_bytes,
        }
        os.write(write, msgspec.json.encode(told))
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with open(read, "rb") as answer:
        return dict(msgspec.json.decode(answer.read()))


@root
def test_what_a_process_mapped_before_it_got_a_mount_namespace_counts(tmp_path: Path) -> None:
    """Its mappings are of the namespace that it left, whose mounts are in another table."""
    file = random_file(tmp_path / "x", 20)
    with mapper(file) as process:
        process.do("import ctypes; assert ctypes.CDLL(None).unshare(0x00020000) == 0")
        sight = look([], pids=[process.pid])
    assert [len(each.pages) for each in of(sight, file)] == [20]
    assert sight.unseen == ()


@root
def test_files_of_a_mount_that_is_gone_are_said_to_be_unseen(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "at").mkdir()
    file = random_file(tmp_path / "from/x", 20)
    place = tmp_path / "at"
    if subprocess.run(["mount", "--bind", str(file.parent), str(place)], capture_output=True).returncode:
        lacking("leave to mount")
    with ExitStack() as stack:
        try:
            process = stack.enter_context(mapper(place / "x"))
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)
        sight = look([], pids=[process.pid])
    (unseen,) = sight.unseen
    assert unseen.what.startswith("pages of ")
    assert unseen.totals


@root
def test_names_that_are_no_utf_8_fit_in_json(tmp_path: Path) -> None:
    """A container's files may have any name; JSON holds text alone."""
    odd = tmp_path / os.fsdecode(b"\xff\x1b[31m{}|`\n")
    first = random_file(tmp_path / "x", 5)
    odd.write_bytes(first.read_bytes())
    with mapper(first, odd) as process:
        sight = look([], pids=[process.pid])
    found = figures(sight)
    text = msgspec.json.encode(found).decode()
    assert len(found.duplicates) == 1
    assert r"\\udcff" in text


@pytest.mark.parametrize(("user", "start"), [(0, "root is refused here"), (1000, "run memlint as root (sudo)")])
def test_the_hint_helps_whoever_reads_it(monkeypatch: pytest.MonkeyPatch, user: int, start: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert hidden_frames().hint.startswith(start)


def test_one_address_space_is_one_though_what_it_shares_changes_meanwhile() -> None:
    """PSS changes with every process that maps the same library, or ends."""
    spaces = Spaces()
    assert spaces.is_new(os.getpid(), b"1000-2000 [rollup]\nPss: 8 kB\n")
    assert not spaces.is_new(os.getpid(), b"1000-2000 [rollup]\nPss: 7 kB\n")
    assert spaces.is_new(os.getppid(), b"1000-2000 [rollup]\nPss: 8 kB\n")
