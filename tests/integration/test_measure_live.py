"""`memlint measure` while containers change: files copied up and rewritten under processes, processes that end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support import frames
from support.frames import PAGE, held
from support.waiting import until

from .daemons import Daemon
from .measuring import HIDDEN, measure, of_containers, of_processes
from .stores.container import Running, wait_until_asleep
from .stores.engines import Docker, running
from .stores.images import PROGRAM, READY

pytestmark = pytest.mark.integration


@pytest.fixture
def pair(docker: Daemon, small: Path) -> Iterator[list[Running]]:
    """Two containers of one image."""
    with running(Docker(docker, "overlay2"), ["store/a"], 2) as containers:
        yield containers


def start_again(docker: Daemon, container: Running) -> int:
    """The program once more in the container; its pid."""
    known = pids_in(container)
    docker.docker("exec", "--detach", container.name, f"/{PROGRAM}", "-I", "/srv/app.py")
    return started(container, known)


def started(container: Running, known: set[int]) -> int:
    """The process that is new in the container, once it calls itself ready and sleeps."""
    new = until(
        lambda: [pid for pid in pids_in(container) - known if comm(pid) == READY],
        lambda: f"{container.name} runs {[comm(pid) for pid in pids_in(container)]}",
    )
    wait_until_asleep(new[0], READY)
    return new[0]


def pids_in(container: Running) -> set[int]:
    """By their cgroups: those that were started in the container later descend from none of its own."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if container.id in (directory / "cgroup").read_text():
                found.add(int(directory.name))
    return found


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_copied_up_under_a_running_process(docker: Daemon, pair: list[Running]) -> None:
    """chmod to the mode it has: who started before shares with the other container, who starts after with no one."""
    changed, other = pair
    docker.docker("exec", changed.name, "chmod", "0755", f"/{PROGRAM}")
    assert of_containers(pair)["copied_up"] == []
    new = start_again(docker, changed)
    before, after, beside = (frames.by_path([pid])[f"/{PROGRAM}"] for pid in (changed.pid, new, other.pid))
    assert before & beside
    assert after.isdisjoint(before | beside)
    report = of_containers(pair)
    (copied,) = report["copied_up"]
    assert (copied["container"], copied["path"]) == (changed.id, f"/{PROGRAM}")
    assert copied["file_pages_bytes"] == len(after) * PAGE
    assert copied["same_content_below"]
    (twice,) = report["duplicates"]
    assert twice["copies"] == 2
    assert twice["frames"] == len(before | after | beside)
    assert {(each["container"], each["held"]) for each in twice["placements"]} == {
        (changed.id, "lower"),
        (changed.id, "upper"),
        (other.id, "lower"),
    }
    expected = held([*pids_in(changed), *pids_in(other)])
    assert report["totals"]["file_pages_bytes"] == expected.frames * PAGE
    assert report["totals"]["duplicate_bytes"] == expected.duplicate_bytes == twice["duplicate_bytes"]


def test_rewritten_under_a_running_process(docker: Daemon, pair: list[Running]) -> None:
    """Opened for writing through the overlay: the pages mapped before are still the lower file's, of its content."""
    changed, other = pair
    library = _library(changed.pid)
    script = f"open({library!r}, 'ab').write(b'x')"
    docker.docker("exec", changed.name, f"/{PROGRAM}", "-I", "-c", script)
    new = start_again(docker, changed)
    before, after, beside = (frames.by_path([pid])[library] for pid in (changed.pid, new, other.pid))
    assert before & beside
    assert after.isdisjoint(before | beside)
    report = of_containers(pair)
    assert report["duplicates"] == []
    (copied,) = report["copied_up"]
    assert (copied["container"], copied["path"]) == (changed.id, library)
    assert not copied["same_content_below"]
    everything = held([*pids_in(changed), *pids_in(other)])
    assert report["totals"]["file_pages_bytes"] == everything.frames * PAGE
    assert report["unseen"] == []


def _library(pid: int) -> str:
    """One that only the program maps, and nothing that is executed for itself."""
    return next(path for path in frames.by_path([pid]) if "libexpat" in path)


def test_a_process_in_a_chroot(docker: Daemon, pair: list[Running]) -> None:
    """Its root is a plain directory of the container: no mount that its files are of lies below it."""
    jailed, other = pair
    known = pids_in(jailed)
    script = f"open('/proc/self/comm', 'w').write('{READY}'); os.makedirs('/jail'); os.chroot('/jail')"
    script = f"import os, time; {script}; time.sleep(1000000)"
    docker.docker("exec", "--detach", jailed.name, f"/{PROGRAM}", "-I", "-c", script)
    new = started(jailed, known)
    report = of_processes([new, other.pid])
    expected = held([new, other.pid])
    assert report["totals"]["file_pages_bytes"] == expected.frames * PAGE
    assert report["totals"]["duplicate_bytes"] == expected.duplicate_bytes
    assert (report["unseen"], report["copied_up"]) == ([], [])
    assert {each["storage"] for each in report["containers"]} == {"overlay2"}


def test_a_program_that_is_moved_while_it_runs(docker: Daemon, pair: list[Running]) -> None:
    """mv copies it up under its new name; who runs has the pages of the layer, in common with the other container."""
    moved, other = pair
    docker.docker("exec", moved.name, f"/{PROGRAM}", "-I", "-c", f"import os; os.rename('/{PROGRAM}', '/moved')")
    assert frames.by_path([moved.pid])["/moved"] & frames.by_path([other.pid])[f"/{PROGRAM}"]
    report = of_containers(pair)
    assert (report["copied_up"], report["duplicates"], report["unseen"]) == ([], [], [])


def test_containers_behind_hidepid_are_listed_without_figures(pair: list[Running]) -> None:
    """The tree of cgroups tells of them, and /proc of none of their processes."""
    report = measure(before=HIDDEN)
    seen = {each["id"]: each for each in report["containers"]}
    for container in pair:
        assert set(seen[container.id]["pids"]) == set(container.pids())
        assert seen[container.id]["rss_bytes"] is seen[container.id]["file_pages_bytes"] is None
    assert any("hidepid" in each["reason"] and each["totals"] for each in report["unseen"])


def test_processes_of_a_container_that_end_meanwhile(docker: Daemon, pair: list[Running]) -> None:
    """What stays is whole, and nothing is said of what is gone."""
    changed, _ = pair
    docker.docker("exec", "--detach", changed.name, "sh", "-c", "while :; do sleep 0.001; done")
    for _ in range(5):
        report = of_containers(pair)
        seen = {process["pid"]: process["file_pages_bytes"] for process in report["processes"]}
        for container in pair:
            assert {pid: seen.get(pid) for pid in container.pids()} == {
                pid: held([pid]).frames * PAGE for pid in container.pids()
            }
        assert report["unseen"] == []
