"""`memlint measure` where not all can be seen: what is missing is said, and never counted as zero."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import frames
from support.frames import PAGE, held

from .daemons import need
from .measuring import Measurement, measure, of_processes
from .stores.processes import asleep, program_in
from .stores.smaps import rollup

pytestmark = pytest.mark.integration

# Root without any capability or group: its own processes, and no page frames.
POWERLESS = ["setpriv", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
HIDDEN = ["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh", *POWERLESS]
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
