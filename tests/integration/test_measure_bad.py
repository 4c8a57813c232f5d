"""`memlint measure` where not all can be seen: what is missing is said, and never counted as zero."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import frames
from support.frames import PAGE, held
from support.lacking import lacking

from memlint.kernel.looking import look

from .daemons import need
from .measuring import HIDDEN, POWERLESS, Measurement, measure, of_processes
from .stores.processes import asleep, program_in
from .stores.smaps import rollup

pytestmark = pytest.mark.integration

MEASURE = [sys.executable, "-m", "memlint", "measure"]
IN_A_USER_NAMESPACE = ["unshare", "--user", "--map-root-user"]


@pytest.fixture(autouse=True)
def means() -> None:
    need("setpriv", "unshare", "mount")


@contextmanager
def powerless() -> Iterator[int]:
    """A process of root's that has no capability, either."""
    with asleep(*POWERLESS, "sleep") as pid:
        yield pid


def test_without_frames_memory_is_all() -> None:
    with powerless() as pid:
        report = measure("--pid", str(pid), before=POWERLESS)
        (process,) = report["processes"]
        assert process["rss_bytes"] == rollup(pid)["Rss"] * 1024
        has_no_frames(report)


def test_root_of_a_user_namespace_sees_its_own() -> None:
    """It is root to itself alone: the kernel shows it no frames."""
    script = 'sleep 1000000 & "$@" --pid $!; code=$?; kill $!; exit $code'
    report = measure(before=[*IN_A_USER_NAMESPACE, "sh", "-c", script, "sh"])
    (process,) = report["processes"]
    assert process["pss_bytes"] > 0
    has_no_frames(report)


def has_no_frames(report: Measurement) -> None:
    assert not report["kernel"]["frames"]
    assert report["totals"] is None
    assert {process["file_pages_bytes"] for process in report["processes"]} == {None}
    assert [each for each in report["unseen"] if "frames" in each["what"] and each["hint"]]


def test_a_process_that_may_not_be_looked_at_is_unseen() -> None:
    """Its memory is unknown: None, not 0."""
    with asleep("sleep") as mine, powerless() as its:
        report = measure("--pid", f"{mine},{its}", before=POWERLESS)
        seen = {process["pid"]: process["rss_bytes"] for process in report["processes"]}
        assert seen.get(mine) is None
        assert seen[its] == rollup(its)["Rss"] * 1024
        assert [each for each in report["unseen"] if str(mine) in each["what"]]


def test_hidden_processes_are_said_to_be_missing() -> None:
    """hidepid: /proc does not even tell that there are others."""
    with asleep("sleep"), powerless() as its:
        report = measure("--all", before=HIDDEN)
        assert its in {process["pid"] for process in report["processes"]}
        assert [each for each in report["unseen"] if "hidepid" in each["what"] + each["reason"]]


ELSEWHERE = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]


def test_in_a_pid_namespace_of_its_own_it_sees_no_containers_and_says_so() -> None:
    """As in a pod without hostPID: nothing there is no zero."""
    report = measure(before=ELSEWHERE)
    (unseen,) = (each for each in report["unseen"] if each["containers"])
    assert unseen["totals"]
    assert "hostPID" in unseen["hint"]
    assert (report["totals"], report["containers"]) == (None, [])
    text = command(*ELSEWHERE, *MEASURE, "--format", "prometheus").stdout
    assert "memlint_measure_whole 0" in text
    assert "memlint_node_" not in text
    gate = command(*ELSEWHERE, *MEASURE, "--max-duplicate", "0", "--min-efficiency", "0")
    assert gate.returncode == 2
    assert "the gate cannot be judged" in gate.stderr


def test_processes_that_were_asked_for_by_name_are_all_of_a_question() -> None:
    """Whatever else runs outside of the PID namespace."""
    script = 'sleep 1000000 & "$@" --pid $!; code=$?; kill $!; exit $code'
    report = measure(before=[*ELSEWHERE, "sh", "-c", script, "sh"])
    assert report["totals"]["file_pages_bytes"] > 0
    assert report["unseen"] == []


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def test_pages_of_hugetlb_have_a_figure() -> None:
    """MAP_HUGETLB: in no other figure of the kernel's."""
    with huge_pages(8):
        script = """
import mmap, time
area = mmap.mmap(-1, 8 << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
for page in range(8):
    area[page << 21] = 1
open("/proc/self/comm", "w").write("huge")
time.sleep(1000000)
"""
        with asleep("python3", "-c", script, called="huge") as pid:
            report = of_processes([pid])
            (process,) = report["processes"]
            assert process["hugetlb_bytes"] == 16 << 20
            assert process["rss_bytes"] == rollup(pid)["Rss"] * 1024
            assert report["totals"]["file_pages_bytes"] == held([pid]).frames * PAGE
            assert report["unseen"] == []


@contextmanager
def huge_pages(count: int) -> Iterator[None]:
    """So many more pages of 2 MiB than there were."""
    pool = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    if not pool.exists():
        lacking("huge pages of 2 MiB")
    before = int(pool.read_text())
    pool.write_text(str(before + count))
    try:
        if int(pool.read_text()) < before + count:
            lacking("memory for huge pages")
        yield
    finally:
        pool.write_text(str(before))


def test_a_process_in_a_user_namespace_is_seen(scratch: Path) -> None:
    program = program_in(scratch / "one")
    with asleep(*IN_A_USER_NAMESPACE, program) as inside, asleep(program) as outside:
        report = of_processes([inside, outside])
        expected = held([inside, outside])
        assert report["totals"]["file_pages_bytes"] == expected.frames * PAGE
        assert report["duplicates"] == []
        assert report["unseen"] == []


def test_processes_that_end_meanwhile_are_left_out(scratch: Path) -> None:
    """Several hundred of them, and one that stays: nothing is said of what is gone, and what stays is whole."""
    swarm = "while :; do for n in 1 2 3 4 5 6 7 8; do sleep 0.0$n & done; wait; done"
    with asleep(program_in(scratch / "one")) as stays, subprocess.Popen(["sh", "-c", swarm]) as parent:
        try:
            report = measure("--all")
            seen = {process["pid"]: process for process in report["processes"]}
            assert seen[stays]["file_pages_bytes"] == held([stays]).frames * PAGE
            assert all(process["rss_bytes"] != 0 for process in report["processes"])
        finally:
            parent.kill()


def test_a_pid_that_is_nobodys() -> None:
    """Said at once, as a question that cannot be answered."""
    unused = int(Path("/proc/sys/kernel/pid_max").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "memlint", "measure", "--pid", str(unused)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert str(unused) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_that_maps_very_often(scratch: Path) -> None:
    """Ten thousand mappings of one file, each of a page: every frame once."""
    place = scratch / "file"
    place.write_bytes(b"".join(bytes([number % 256]) * PAGE for number in range(1000)))
    program = f"""
import mmap, time
file = open({str(place)!r}, "rb")
maps = [mmap.mmap(file.fileno(), {PAGE}, prot=mmap.PROT_READ, offset={PAGE} * (n % 1000)) for n in range(10000)]
[each[0] for each in maps]
open("/proc/self/comm", "w").write("many")
time.sleep(1000000)
"""
    with asleep("python3", "-c", program, called="many") as pid:
        assert len(frames.by_path([pid])[str(place)]) == 1000
        report = of_processes([pid])
        assert report["totals"]["file_pages_bytes"] == held([pid]).frames * PAGE
        assert report["unseen"] == []


def test_a_file_system_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its program is the container's own, and may be stopped by it."""
    need("fuse-overlayfs", "umount")
    monkeypatch.setattr("memlint.kernel.files._PATIENCE", 0.5)
    for name in ("lower", "merged"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower/x").write_bytes(b"x" * 3 * PAGE)
    command = ["fuse-overlayfs", "-f", "-o", f"lowerdir={tmp_path}/lower", str(tmp_path / "merged")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            file = tmp_path / "merged/x"
            deadline = time.monotonic() + 20
            while not file.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            with mapping(file) as pid:
                assert seen_of(pid, file) == [3]
                server.send_signal(signal.SIGSTOP)
                try:
                    sight = look([], pids=[pid])
                finally:
                    server.send_signal(signal.SIGCONT)
            assert [(each.what, each.reason) for each in sight.unseen] == [
                (f"pages of {file}", "its file system does not answer")
            ]
        finally:
            subprocess.run(["umount", "--lazy", str(tmp_path / "merged")], check=True)
            server.terminate()


def seen_of(pid: int, file: Path) -> list[int]:
    return [len(each.pages) for each in look([], pids=[pid]).residencies if each.file.path == str(file)]


@contextmanager
def mapping(file: Path) -> Iterator[int]:
    """A process that has read all pages of a mapped file."""
    script = (
        f"import mmap, os, time; file = open({str(file)!r}, 'rb');"
        "area = mmap.mmap(file.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ); file.close();"
        "sum(area[::mmap.PAGESIZE]); print(flush=True); time.sleep(1000)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield process.pid
        finally:
            process.kill()
