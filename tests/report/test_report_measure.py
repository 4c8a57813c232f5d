"""What people read of a measurement."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from rich.cells import cell_len
from support import measured
from support.measured import HOSTS, MB
from support.snapshots import assert_snapshot

import memlint
from memlint.model.measure import Cost, MeasuredTotals, Measurement, Store, Unseen, is_whole
from memlint.model.units import human_size
from memlint.model.vocabulary import MEASURE_BY, MEASURE_SORTS
from memlint.report.json import to_json
from memlint.report.measure.markdown import to_markdown
from memlint.report.measure.rows import grid
from memlint.report.measure.text import to_text
from memlint.report.schema import measure_schema
from memlint.report.terminal import Terminal

SNAPSHOTS = Path(__file__).parent / "snapshots"
SHIPPED = Path(memlint.__file__).parent / "report" / "schemas" / "measure-1.schema.json"


def page(
    measurement: Measurement, width: int = 120, top: int = 10, by: str = "container", sort: str = "duplicate"
) -> str:
    return to_text(measurement, Terminal(width, False), top=top, by=by, sort=sort)


@pytest.mark.parametrize("width", [120, 80, 50])
@pytest.mark.parametrize("name", ["node", "unseen"])
def test_page(name: str, width: int) -> None:
    assert_snapshot(SNAPSHOTS / f"measure-{name}-{width}.txt", page(HOSTS[name], width))


@pytest.mark.parametrize("width", [40, 57, 60, 79, 80, 99, 100, 133, 250])
@pytest.mark.parametrize("by", MEASURE_BY)
@pytest.mark.parametrize("name", HOSTS)
def test_no_line_is_wider_than_the_terminal_or_steers_it(name: str, by: str, width: int) -> None:
    text = page(HOSTS[name], width, by=by)
    assert max(map(len, text.splitlines())) <= width
    assert all(line.isprintable() for line in text.splitlines())


def test_the_first_line_answers() -> None:
    lines = page(HOSTS["node"]).splitlines()
    assert "3 containers of 2 images" in lines[0]
    assert "Measured from page frames" in lines[0]
    assert (
        lines[2].split() == "file pages 75.0 MB = distinct 61.0 MB + duplicate 14.0 MB sharing efficiency 81 %".split()
    )


def test_what_is_unknown_is_no_zero_and_is_said_with_what_to_do() -> None:
    text = page(HOSTS["unseen"], 250)
    assert "not known" in text.splitlines()[0]
    assert "sudo" in text
    assert "process 0, process 1, process 2 and 2 more: belongs to another user (run memlint as root)" in text
    (heading,) = (line for line in text.splitlines() if line.startswith("container "))
    assert heading.split() == ["container", "image", "RSS", "swap"]


HEADINGS = {
    50: "PSS duplicate",
    80: "RSS PSS USS PSS anon duplicate",
    100: "RSS PSS USS PSS anon PSS file file pages duplicate",
    120: "RSS PSS USS PSS anon PSS file swap file pages duplicate",
}


@pytest.mark.parametrize("width", HEADINGS)
def test_figures_give_way_to_names_one_by_one(width: int) -> None:
    long = measured.container("d" * 64, "shop/checkout-7f9c/payments", "registry.example/payments:2024-11")
    text = page(measured.node(containers=(long, *measured.node().containers)), width)
    (heading,) = (line for line in text.splitlines() if line.startswith("container "))
    assert " ".join(heading.split()[2:]) == HEADINGS[width]


def test_short_names_leave_room_for_more_figures() -> None:
    text = page(measured.node(containers=(measured.container("d" * 64, "a", "b"),)), 100)
    (heading,) = (line for line in text.splitlines() if line.startswith("container "))
    assert " ".join(heading.split()[2:]) == HEADINGS[120]


def test_the_part_that_was_looked_into_is_told() -> None:
    text = page(measured.node(cost=Cost(1.0, 0.5, 10, 10, 0.2)), 250)
    assert "from the page frames of 20 % of the processes:" in text.splitlines()[0]
    assert "what was seen" in text


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ({}, True),
        ({"totals": None}, False),
        ({"cost": Cost(1.0, 0.5, 10, 10, 0.9)}, False),
        ({"unseen": (Unseen("process 1", "belongs to another"),)}, False),
        ({"unseen": (Unseen("the name of one", "no daemon", totals=False),)}, True),
    ],
)
def test_is_whole(changes: dict[str, object], whole: bool) -> None:
    assert is_whole(measured.node(**changes)) is whole


@pytest.mark.parametrize("sort", MEASURE_SORTS)
def test_sort(sort: str) -> None:
    first = grid(measured.node(), "container", sort).rows[0].names[0]
    assert first == {"swap": "api-2", "name": "api-1", "file-pages": "worker"}.get(sort, "worker")


def test_unknown_figures_sort_last_and_have_no_sum() -> None:
    unknown = measured.container("d" * 64, "other", "x", pss_bytes=None, duplicate_bytes=None)
    table = grid(measured.node(containers=(unknown, *measured.node().containers)), "container", "pss")
    assert table.rows[-1].names[0] == "other"
    assert table.total is not None
    assert table.total.figures == tuple(
        None if size is None else size * 10**6 for size in (170, None, 42, 65, 20, 3, 0, 75, 14)
    )


def test_plain_processes_are_one_line_at_the_end() -> None:
    processes = (*measured.node().processes, measured.process(1, "init", None, 8), measured.process(2, "sshd", None, 4))
    table = grid(measured.node(processes=processes), "container", "name")
    assert table.rows[-1].names == ("(no container)", "")
    assert table.rows[-1].figures == (
        *(size * 10**6 for size in (12, 6, 3, 5, 1, 0, 0)),
        None,
        None,
    )
    assert "2 processes" in page(measured.node(processes=processes)).splitlines()[0]


def test_hugetlb_has_a_column_where_there_is_some() -> None:
    assert "hugetlb" not in page(HOSTS["node"]) + to_markdown(HOSTS["node"], top=9, by="container", sort="pss")
    huge = measured.container("d" * 64, "db", "db:1", hugetlb_bytes=64 * MB)
    node = measured.node(containers=(huge, *measured.node().containers))
    for text in (page(node, sort="hugetlb"), to_markdown(node, top=9, by="container", sort="hugetlb")):
        first = next(line for line in text.splitlines() if "db:1" in line)
        assert "64.0 MB" in first
        assert "hugetlb" in text


def test_by() -> None:
    assert "celery" in page(HOSTS["node"], by="process")
    by_image = page(HOSTS["node"], by="image")
    assert [line.split()[:2] for line in by_image.splitlines() if line.startswith(("api", "worker"))] == [
        ["worker:1.1", "1"],
        ["api:2.0", "2"],
    ]
    by_file = page(HOSTS["node"], by="file")
    assert "worker:1.1" not in by_file.partition("Next")[0]
    assert "libcrypto" in by_file


def test_a_host_without_containers() -> None:
    text = page(HOSTS["nothing"])
    assert text.splitlines()[0] == "No container runs on this host, or none that this user may see."
    assert "efficiency" not in text


def test_nothing_that_was_asked_for_has_memory() -> None:
    text = page(msgspec.structs.replace(HOSTS["nothing"], narrowed=True))
    assert text.startswith("Nothing that was asked for has memory")
    assert "ps -eo pid,rss,comm" in text
    assert "No container runs" not in text


def test_cached() -> None:
    text = page(HOSTS["hostile"])
    assert "cached  mapped  file" in text
    assert "2.0 MB  1.0 MB  /x" in text


def test_top_cuts_every_table_and_says_so() -> None:
    text = page(HOSTS["node"], top=1)
    assert text.count("more (--top") == 2
    assert "python3.11" not in text


def test_who_maps_a_copy_and_who_shares_it() -> None:
    line = next(line for line in page(HOSTS["node"], 140).splitlines() if "libcrypto" in line)
    assert "api-1 +1 · worker" in line
    assert "libssl3 3.0.22-1~deb12u2" in line


def test_copied_up_names_the_container() -> None:
    text = page(HOSTS["node"])
    assert "2.0 MB  worker  /usr/bin/tool  the same bytes lie below" in text


def test_a_store_that_shares_nothing_warns() -> None:
    store = Store(
        "docker", "vfs", "/srv", "ext4", "vfs", "container", {}, ("containers share no page here: use overlay2",)
    )
    text = page(measured.node(stores=(store,)))
    assert "Store:  docker vfs on ext4 at /srv: containers share no page" in text
    assert "warning: containers share no page here: use overlay2" in text


def test_next_names_the_images_in_duplicates() -> None:
    assert "memlint compare api:2.0 worker:1.1" in page(HOSTS["node"])
    assert "Next" not in page(HOSTS["nothing"])


def test_colours_carry_nothing_alone() -> None:
    coloured = to_text(HOSTS["node"], Terminal(100, True), top=10, by="container", sort="pss")
    assert "\x1b[" in coloured


@pytest.mark.parametrize("name", HOSTS)
def test_json_keeps_its_schema_and_comes_back(name: str) -> None:
    text = to_json(HOSTS[name])
    jsonschema.Draft202012Validator(json.loads(SHIPPED.read_text("utf-8"))).validate(json.loads(text))
    assert msgspec.json.decode(text, type=Measurement) == HOSTS[name]


def test_the_shipped_schema_is_the_generated_one() -> None:
    assert json.loads(SHIPPED.read_text("utf-8")) == measure_schema()


PROMISED = {
    "": {"schema", "totals", "containers", "duplicates", "unseen"},
    "totals": {"file_pages_bytes", "distinct_bytes", "duplicate_bytes"},
    "containers": {
        *("id", "name", "image", "pids", "rss_bytes", "pss_bytes", "uss_bytes", "file_pages_bytes", "duplicate_bytes"),
    },
    "duplicates": {*("content", "size", "mappable_bytes", "copies", "duplicate_bytes", "kind", "package", "frames")},
    "unseen": {"what", "reason"},
}


@pytest.mark.parametrize("part", PROMISED)
def test_the_promised_fields(part: str) -> None:
    found = json.loads(to_json(HOSTS["hostile"]))
    inner = found if not part else found[part] if part == "totals" else found[part][0]
    assert PROMISED[part] <= inner.keys()


def test_markdown() -> None:
    assert_snapshot(SNAPSHOTS / "measure.md", to_markdown(HOSTS["node"], top=2, by="container", sort="duplicate"))


@pytest.mark.parametrize("by", MEASURE_BY)
@pytest.mark.parametrize("name", HOSTS)
def test_markdown_tables_are_whole(name: str, by: str) -> None:
    text = to_markdown(HOSTS[name], top=10, by=by, sort="pss")
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1
    outside = re.sub("`[^`]*`", "", text)
    assert "@team" not in outside
    assert "<b>" not in outside.replace("\\<", "")
    assert "\x1b" not in text


def test_an_efficiency_is_not_rounded_up() -> None:
    totals = MeasuredTotals(1000, 999, 1, 0.999)
    assert "99 %" in page(measured.node(totals=totals))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("by", MEASURE_BY)
def test_names_of_wide_characters_push_no_figure_out(width: int, by: str) -> None:
    """Each takes two columns: a stranger's name could hide what it costs."""
    wide = "漢字" * 40
    node = measured.node()
    containers = tuple(msgspec.structs.replace(each, name=wide, image=wide) for each in node.containers)
    images = tuple(msgspec.structs.replace(each, image=wide) for each in node.images)
    processes = tuple(msgspec.structs.replace(each, command=wide) for each in node.processes)
    placed = tuple(
        msgspec.structs.replace(
            each,
            placements=tuple(msgspec.structs.replace(at, name=wide, path=f"/{wide}") for at in each.placements),
        )
        for each in node.duplicates
    )
    seen = msgspec.structs.replace(
        node, containers=containers, images=images, processes=processes, duplicates=placed, stores=()
    )
    text = to_text(seen, Terminal(width, color=False), top=10, by=by, sort="duplicate")
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert "4.3 MB" in text.partition("file pages")[2]
    for each in node.containers if by == "container" else ():
        assert human_size(each.duplicate_bytes or 0) in text


@pytest.mark.parametrize(
    ("up", "cause", "said"),
    [
        ((0,), "copied up", "3 (1 copied up)"),
        ((0, 2), "copied up", "3 (2 copied up)"),
        ((), "storage driver", "3 × st"),
    ],
)
def test_only_what_was_copied_up_is_called_so(up: tuple[int, ...], cause: str, said: str) -> None:
    first = HOSTS["node"].duplicates[0]
    places = tuple(
        msgspec.structs.replace(
            first.placements[0], container=str(at), real=f"/store/{at}", held="upper" if at in up else "lower"
        )
        for at in range(3)
    )
    duplicate = msgspec.structs.replace(first, copies=3, cause=cause, placements=places)
    assert said in page(measured.node(duplicates=(duplicate,)))
