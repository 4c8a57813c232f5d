"""What a profile makes of images: the pages of the programs that each inode's images run."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import fleets, images
from support.elf import library, program
from support.profiles import content, profile

from memlint.model.profile import Run, Use
from memlint.sharing.resident import absent, expected, known, programs_of, together

PAGE = 4096
LOADER = {"lib64/ld-linux-x86-64.so.2": library("ld-linux-x86-64.so.2")}
LIBC, APP, WEB, SHELL = (
    library("libc.so.6", pages=16),
    program("app", "libc.so.6"),
    program("web", "libc.so.6"),
    program("sh"),
)
BASE: images.Tree = {**LOADER, "lib/libc.so.6": LIBC, "bin/sh": SHELL}
APPS: images.Tree = {"bin/app": APP}
WEBS: images.Tree = {"bin/web": WEB}


def image(name: str, *layers: images.Tree, start: str) -> images.Spec:
    """An image that starts a program; its name is in the lowest layer, so that no two have a chain in common."""
    return images.image(name, {**BASE, "etc/name": name.encode()}, *layers, Cmd=[start])


def shared(name: str, *layers: images.Tree, start: str) -> images.Spec:
    """An image on a base that others have, too."""
    return images.image(name, BASE, *layers, Cmd=[start])


RAN: dict[tuple[bytes, ...], int] = {(APP,): 3, (WEB,): 1}


def test_two_inodes_hold_the_common_pages_twice() -> None:
    seen = profile({(APP, LIBC): [(0, 4, 1)], (WEB, LIBC): [(2, 6, 1)]}, RAN)
    report = fleets.compared(image("a", APPS, start="app"), image("b", WEBS, start="web"), profile=seen)
    totals = report.totals.profile
    assert totals is not None
    assert (totals.page_cache_bytes, totals.distinct_bytes, totals.duplicate_bytes) == (10 * PAGE, 8 * PAGE, 2 * PAGE)
    assert totals.efficiency == 0.8
    assert {each.content: each.profile_bytes for each in report.duplicates}[content(LIBC)] == 2 * PAGE


def test_one_inode_holds_what_any_of_its_images_maps() -> None:
    seen = profile({(APP, LIBC): [(0, 4, 1)], (WEB, LIBC): [(2, 6, 1)]}, RAN)
    report = fleets.compared(shared("a", APPS, start="app"), shared("b", WEBS, start="web"), profile=seen)
    assert report.totals.profile is not None
    assert (report.totals.profile.page_cache_bytes, report.totals.profile.duplicate_bytes) == (8 * PAGE, 0)


def test_replicas_count_where_nothing_is_shared() -> None:
    seen = profile({(APP, LIBC): [(0, 4, 1)]}, RAN)
    report = fleets.compared(image("a", APPS, start="app"), storage="vfs", replicas=[3], profile=seen)
    assert report.totals.profile is not None
    assert (report.totals.profile.page_cache_bytes, report.totals.profile.duplicate_bytes) == (12 * PAGE, 8 * PAGE)


def test_pages_that_some_containers_had_count_in_part() -> None:
    seen = profile({(APP, LIBC): [(0, 2, 4), (2, 4, 1)]}, RAN, seen=4)
    report = fleets.compared(image("a", APPS, start="app"), image("b", APPS, start="app"), profile=seen)
    assert report.totals.profile is not None
    assert report.totals.profile.page_cache_bytes == 2 * (2 + 1) * PAGE
    assert report.totals.profile.distinct_bytes == (2 + 4 * 1 / 2) * PAGE


def test_containers_of_one_image_keep_more_together_than_one_does() -> None:
    seen = profile({(APP, LIBC): [(0, 2, 4), (2, 4, 1)]}, RAN, seen=4)
    alone = fleets.compared(image("a", APPS, start="app"), profile=seen)
    pages = [
        fleets.compared(image("a", APPS, start="app"), replicas=[count], profile=seen).totals.profile
        for count in (1, 2, 3, 4, 9)
    ]
    assert pages[0] == alone.totals.profile
    assert [each and each.page_cache_bytes / PAGE for each in pages] == [3, 4, 5, 6, 6]
    assert not any(each and each.duplicate_bytes for each in pages)


def test_of_two_copies_in_one_image_one_is_mapped() -> None:
    twice: images.Tree = {**APPS, "opt/copy.so": LIBC}
    seen = profile({(APP, LIBC): [(0, 4, 1)]}, RAN)
    report = fleets.compared(image("a", twice, start="app"), profile=seen)
    assert report.totals.profile is not None
    assert (report.totals.profile.page_cache_bytes, report.totals.profile.duplicate_bytes) == (4 * PAGE, 0)


def test_what_is_not_known_is_said() -> None:
    seen = profile({(APP, LIBC): [(0, 4, 1)]}, {(APP,): 1})
    report = fleets.compared(image("a", APPS, start="app"), image("b", WEBS, start="web"), profile=seen)
    assert report.profile is not None
    assert report.profile.unknown == ("b",)
    started = {*LOADER.values(), LIBC, APP, WEB}
    assert report.profile.coverage == pytest.approx(len(LIBC) / sum(map(len, started)), abs=1e-6)
    other = {each.content: each.profile_bytes for each in report.duplicates}
    assert other[content(SHELL)] is None


@pytest.mark.parametrize(
    ("start", "layers", "ran", "runs"),
    [
        (["app"], [APPS, WEBS], {(APP,): 1, (WEB,): 9}, {APP}),
        (["app"], [APPS, WEBS], {(APP,): 1, (APP, WEB): 3}, {APP, WEB}),
        (["app"], [APPS], {(APP,): 1, (APP, WEB): 3}, {APP}),
        (["app"], [APPS, WEBS], {(WEB,): 9}, set()),
        (["/start.sh"], [APPS, WEBS], {(APP,): 9, (WEB,): 1}, {WEB}),
        (["/start.sh"], [WEBS, APPS], {(APP,): 1, (WEB,): 9}, {APP}),
        (["/start.sh"], [WEBS, APPS], {(SHELL, WEB): 1, (APP,): 9}, {SHELL, WEB}),
        (["/start.sh"], [], {(APP,): 1}, set()),
        ([], [APPS], {(APP,): 1}, set()),
    ],
)
def test_which_programs_an_image_runs(
    start: list[str], layers: list[images.Tree], ran: dict[tuple[bytes, ...], int], runs: set[bytes]
) -> None:
    script: images.Tree = {"start.sh": b"#!/bin/sh\nset -e\nprepare && serve\n"}
    spec = images.image("x", {**BASE, **script}, *layers, Cmd=start)
    found = programs_of(fleets.view(spec), fleets.startup(spec), known(profile({}, ran)))
    assert found == {content(each) for each in runs}


RUNS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(1, 4)), max_size=4)


@given(st.lists(RUNS, max_size=4))
def test_runs_are_laid_over_each_other_page_by_page(each: list[list[tuple[int, int, int]]]) -> None:
    """Against the plainest count: a probability per page."""
    sets = [_spread(gaps) for gaps in each]
    none: dict[int, float] = {}
    for runs in sets:
        for first, length, count in runs:
            for page in range(first, first + length):
                none[page] = none.get(page, 1.0) * (1 - count / 4)
    laid = together([tuple((first, first + length, 1 - count / 4) for first, length, count in runs) for runs in sets])
    assert {page: each for first, end, each in laid for page in range(first, end)} == pytest.approx(none)
    assert expected(laid) == pytest.approx(sum(1 - each for each in none.values()))


@given(st.lists(st.sets(st.integers(0, 7)), min_size=1, max_size=6), st.integers(1, 8))
def test_containers_are_drawn_from_those_that_were_seen(held: list[set[int]], containers: int) -> None:
    """Against all ways to draw them: what the drawn ones hold together, on average."""
    ways = list(combinations(held, min(containers, len(held))))
    average = sum(len(set().union(*way)) for way in ways) / len(ways)
    counts = [(page, 1, sum(page in each for each in held)) for page in range(8)]
    use = Use(content(APP), len(held), tuple(run for run in counts if run[2]))
    assert expected(absent(use, containers)) == pytest.approx(average)


def _spread(gaps: list[tuple[int, int, int]]) -> list[Run]:
    """Gaps before runs, and their lengths → runs that do not overlap."""
    runs, end = [], 0
    for gap, length, count in gaps:
        runs.append((end + gap, length, count))
        end += gap + length
    return runs
