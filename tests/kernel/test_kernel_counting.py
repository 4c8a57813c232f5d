"""Figures are a pure function of what was seen; a count of sets of tuples says what is right."""

from __future__ import annotations

from array import array
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlint.kernel.counting import measurement
from memlint.kernel.parts import joined
from memlint.kernel.residency import Container, Process, Residency, Seen, Sight
from memlint.model.digest import ContentID
from memlint.model.measure import Cost, Held, Kernel, Measurement, Memory, Unseen

PAGE = 16384  # no constant of ours
KERNEL = Kernel("6.18", "aarch64", PAGE, True)
MEMORY = Memory(rss_bytes=3, pss_bytes=2, uss_bytes=1, swap_bytes=0)


def seen(inode: int, held: Held = "lower", path: str = "/lib/a", below: str | None = None) -> Seen:
    content = ContentID(f"blake3:{inode % 3}")
    hidden = ContentID(below) if below is not None else None
    return Seen(path, f"/real/{inode}", held, 8, inode, "", 10, content, "library", PAGE, None, hidden)


def a_container(name: str, *pids: int, image: str = "i") -> Container:
    return Container(name, name, image, "docker", "overlay2", "/", pids)


def figures(containers: list[Container], held: dict[int, list[tuple[Seen, dict[int, int]]]]) -> Measurement:
    owners = {pid: container.id for container in containers for pid in container.pids}
    residencies = [
        Residency(pid, file, array("Q", sorted(pages)), array("Q", [pages[page] for page in sorted(pages)]))
        for pid, files in held.items()
        for file, pages in files
    ]
    processes = tuple(Process(pid, "x", owners.get(pid), None, MEMORY) for pid in held)
    sight = Sight(tuple(containers), processes, tuple(residencies), (), len(residencies), 1.0)
    return measurement(sight, kernel=KERNEL, stores=(), cost=Cost(0, 0, 0, 0, 1))


@given(st.sets(st.tuples(st.integers(1, 4), st.integers(0, 8), st.integers(0, 5))))
def test_figures_are_those_of_a_naive_count(rows: set[tuple[int, int, int]]) -> None:
    containers = [a_container("a", 1, 2), a_container("b", 3)]
    held: dict[int, dict[int, dict[int, int]]] = {pid: defaultdict(dict) for pid in range(1, 5)}
    for pid, inode, page in rows:
        held[pid][inode][page] = 1 + inode * 100 + page
    found = figures(
        containers, {pid: [(seen(inode), pages) for inode, pages in files.items()] for pid, files in held.items()}
    )

    frames = {(inode, page) for _, inode, page in rows}
    contents = {(inode % 3, page) for inode, page in frames}
    assert found.totals is not None
    assert found.totals.file_pages_bytes == len(frames) * PAGE
    assert found.totals.distinct_bytes == len(contents) * PAGE
    assert found.totals.duplicate_bytes == (len(frames) - len(contents)) * PAGE
    assert found.totals.efficiency == (len(contents) / len(frames) if frames else 1)
    assert sum(each.duplicate_bytes for each in found.duplicates) == found.totals.duplicate_bytes
    for duplicate in found.duplicates:
        own = {frame for frame in frames if f"blake3:{frame[0] % 3}" == duplicate.content}
        assert duplicate.frames == len(own)
        assert duplicate.copies == len({inode for inode, _ in own})
    for container in found.containers:
        own = {(inode, page) for pid, inode, page in rows if pid in container.pids}
        doubled = {
            one for one in own if any(one != two and (one[0] - two[0]) % 3 == 0 and one[1] == two[1] for two in frames)
        }
        assert container.file_pages_bytes == len(own) * PAGE
        assert container.duplicate_bytes == len(doubled) * PAGE
        assert container.rss_bytes == 3 * len(container.pids)
    for process in found.processes:
        assert process.file_pages_bytes == len({row[1:] for row in rows if row[0] == process.pid}) * PAGE


@given(st.lists(st.tuples(st.integers(0, 40), st.lists(st.booleans(), max_size=20))))
def test_stretches_are_joined_to_each_page_once(stretches: list[tuple[int, list[bool]]]) -> None:
    parts = [
        (first, array("Q", [1000 + page if there else 0 for page, there in enumerate(presence, first)]))
        for first, presence in stretches
    ]
    expected = sorted({page for first, presence in stretches for page, there in enumerate(presence, first) if there})
    pages, frames = joined(parts)
    assert list(pages) == expected
    assert list(frames) == [1000 + page for page in expected]


def test_copied_up_with_equal_content_is_a_cause() -> None:
    up = seen(3, "upper", below="blake3:0")
    found = figures([a_container("a", 1), a_container("b", 2)], {1: [(seen(0), {0: 5})], 2: [(up, {0: 6, 1: 7})]})
    (duplicate,) = found.duplicates
    assert duplicate.cause == "copied up"
    assert [(each.container, each.held) for each in duplicate.placements] == [("a", "lower"), ("b", "upper")]
    (copied,) = found.copied_up
    assert (copied.container, copied.path, copied.file_pages_bytes, copied.same_content_below) == (
        "b",
        "/lib/a",
        2 * PAGE,
        True,
    )


def test_changed_files_of_an_upper_directory_are_no_duplicates() -> None:
    found = figures([a_container("b", 2)], {2: [(seen(3, "upper", below="blake3:1"), {0: 6})]})
    assert found.duplicates == ()
    assert not found.copied_up[0].same_content_below


def test_replicas_that_share_nothing_are_the_stores_doing() -> None:
    held = {1: [(seen(0, "plain"), {0: 5})], 2: [(seen(3, "plain"), {0: 6})]}
    (replicas,) = figures([a_container("a", 1), a_container("b", 2)], held).duplicates
    (strangers,) = figures([a_container("a", 1), a_container("b", 2, image="j")], held).duplicates
    assert (replicas.cause, strangers.cause) == ("storage driver", None)


def test_no_frames_are_no_zeros() -> None:
    containers = (a_container("a", 1),)
    sight = Sight(containers, (Process(1, "x", "a", None, MEMORY, walked=False),), (), (), 0, 0.0)
    kernel = Kernel("6.18", "x86_64", 4096, False)
    found = measurement(sight, kernel=kernel, stores=(), cost=Cost(0, 0, 0, 0, 0))
    assert found.totals is None
    assert found.containers[0].file_pages_bytes is None
    assert found.containers[0].duplicate_bytes is None
    assert found.processes[0].file_pages_bytes is None
    assert found.containers[0].pss_bytes == 2


@pytest.mark.parametrize(("containers", "blind"), [(True, True), (False, False)])
def test_nothing_seen_where_containers_may_be_is_no_zero(containers: bool, blind: bool) -> None:
    sight = Sight((), (), (), (Unseen("x", "y", containers=containers),), 0, 1.0)
    found = measurement(sight, kernel=KERNEL, stores=(), cost=Cost(0, 0, 0, 0, 1))
    assert (found.totals is None) == blind
