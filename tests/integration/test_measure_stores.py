"""`memlint measure` on sleeping containers, held against a count of frames and the kernel's own sums."""

from __future__ import annotations

import pytest
from support import frames
from support.frames import PAGE, held

from .measuring import Measurement, measure, of_containers
from .stores.container import Fleet, Running
from .stores.smaps import rollup

pytestmark = pytest.mark.integration

SUMS = {
    "rss_bytes": ("Rss",),
    "pss_bytes": ("Pss",),
    "uss_bytes": ("Private_Clean", "Private_Dirty"),
    "swap_bytes": ("Swap",),
    "pss_file_bytes": ("Pss_File",),
    "pss_anon_bytes": ("Pss_Anon",),
    "pss_shmem_bytes": ("Pss_Shmem",),
}
"""Figures of `memlint measure` → what of smaps_rollup they are the sum of."""


@pytest.fixture(scope="session")
def measured(store: Fleet) -> Measurement:
    """All containers of the store, measured once."""
    return of_containers(store.containers)


def image_names(image: str) -> set[str]:
    """What engines call an image that was loaded as this."""
    return {f"{host}{image}{tag}" for host in ("", "docker.io/", "localhost/") for tag in ("", ":latest")}


def test_containers_have_their_names(store: Fleet, measured: Measurement) -> None:
    found = {each["id"]: (each["name"], sorted(each["pids"])) for each in measured["containers"]}
    assert found == {each.id: (each.name, sorted(each.pids())) for each in store.containers}


def test_containers_have_their_images(store: Fleet, measured: Measurement) -> None:
    images = {each["id"]: each["image"] for each in measured["containers"]}
    wrong = {each.name: images[each.id] for each in store.containers if images[each.id] not in image_names(each.image)}
    assert wrong == {}


def test_containers_have_their_storage(store: Fleet, measured: Measurement) -> None:
    assert {each["storage"] for each in measured["containers"]} == {store.storage}
    assert store.storage in {each["storage"] for each in measured["stores"]}


def test_containers_are_found_without_being_named(store: Fleet) -> None:
    found = {each["id"]: each["file_pages_bytes"] for each in measure()["containers"]}
    assert {each.id: found.get(each.id) for each in store.containers} == {
        each.id: held(each.pids()).frames * PAGE for each in store.containers
    }


def test_nothing_went_unseen(measured: Measurement) -> None:
    assert measured["unseen"] == []


def test_totals_are_the_frames(store: Fleet, measured: Measurement) -> None:
    expected = held(store.pids())
    assert measured["totals"] == {
        "file_pages_bytes": expected.frames * PAGE,
        "distinct_bytes": expected.pages * PAGE,
        "duplicate_bytes": expected.duplicate_bytes,
        "efficiency": pytest.approx(expected.pages / expected.frames, abs=1e-4),
    }
    assert sum(each["duplicate_bytes"] for each in measured["duplicates"]) == expected.duplicate_bytes > 0


def test_each_duplicate(store: Fleet, measured: Measurement) -> None:
    """Not only the sum: of each content the number of its frames, and those too many."""
    contents: dict[str, list[int]] = {}
    for (content, _), found in frames.pages(store.pids()).items():
        contents.setdefault(content, []).append(len(found))
    expected = sorted((sum(each), sum(each) - len(each)) for each in contents.values() if sum(each) > len(each))
    ours = sorted((each["frames"], each["duplicate_bytes"] // PAGE) for each in measured["duplicates"])
    assert ours == expected


def test_each_container_is_its_frames(store: Fleet, measured: Measurement) -> None:
    everything = frames.pages(store.pids())
    found = {each["id"]: (each["file_pages_bytes"], each["duplicate_bytes"]) for each in measured["containers"]}
    assert found == {each.id: _own(each, everything) for each in store.containers}


def _own(container: Running, everything: frames.Pages) -> tuple[int, int]:
    """All frames of the container, and those whose content any other frame holds, too."""
    mine = frames.pages(container.pids())
    twice = {frame for page, own in mine.items() for frame in own if len(everything[page]) > 1}
    return len(set().union(*mine.values())) * PAGE, len(twice) * PAGE


def test_each_process_is_its_frames(store: Fleet, measured: Measurement) -> None:
    found = {each["pid"]: each["file_pages_bytes"] for each in measured["processes"]}
    assert found == {pid: held([pid]).frames * PAGE for pid in store.pids()}


def kernels(store: Fleet) -> dict[str, dict[int, int]]:
    """The kernel's own sums, by figure and process."""
    found = {pid: rollup(pid) for pid in store.pids()}
    return {
        figure: {pid: sum(own[part] for part in parts) * 1024 for pid, own in found.items()}
        for figure, parts in SUMS.items()
    }


@pytest.fixture(scope="session")
def at_rest(store: Fleet) -> tuple[Measurement, dict[str, dict[int, int]]]:
    """A measurement, and the kernel's sums that were the same before it and after it: what else runs on the host maps
    some of the same pages, and so changes PSS while it starts and ends."""
    for _ in range(30):
        before, measurement = kernels(store), of_containers(store.containers)
        if kernels(store) == before:
            return measurement, before
    pytest.fail("the host never came to rest")


@pytest.mark.parametrize("figure", SUMS)
def test_sums_are_those_of_the_kernel(
    store: Fleet, at_rest: tuple[Measurement, dict[str, dict[int, int]]], figure: str
) -> None:
    measured, expected = at_rest[0], at_rest[1][figure]
    assert {each["pid"]: each[figure] for each in measured["processes"]} == expected
    sums = {each.id: sum(expected[pid] for pid in each.pids()) for each in store.containers}
    assert {each["id"]: each[figure] for each in measured["containers"]} == sums


def test_what_an_image_copied_up_no_container_did(measured: Measurement) -> None:
    assert measured["copied_up"] == []
