"""What Prometheus gets of a measurement."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import measured
from support.measured import HOSTS
from support.promtool import promtool

from memlint.model.measure import Measurement, Unseen
from memlint.report.measure.exposition import Family, Sample, exposition
from memlint.report.measure.prometheus import families, to_prometheus

NOW = 1_790_000_000.25
_LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)+)\})? (\S+)\Z')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\n"])*)"')


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples, by a reader of the test's own."""
    found = {}
    for line in text.split("\n")[:-1]:
        if not line.startswith("#"):
            match = _LINE.match(line)
            assert match, line
            labels = tuple((name, unescaped(value)) for name, value in _LABEL.findall(match[2] or ""))
            assert (match[1], labels) not in found
            found[match[1], labels] = float(match[3])
    return found


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


def values(measurement: Measurement, name: str) -> list[float]:
    return [value for (metric, _), value in read(to_prometheus(measurement, NOW)).items() if metric == name]


@pytest.mark.parametrize("name", HOSTS)
def test_promtool_is_content(name: str) -> None:
    text = to_prometheus(HOSTS[name], NOW)
    assert promtool("check", "metrics", stdin=text) == ""


def test_the_figures() -> None:
    found = read(to_prometheus(HOSTS["node"], NOW))
    api = (("id", measured.API), ("name", "api-1"), ("image", "api:2.0"))
    assert found["memlint_node_file_pages_bytes", ()] == 75e6
    assert found["memlint_node_sharing_efficiency_ratio", ()] == pytest.approx(61 / 75)
    assert found["memlint_container_rss_bytes", api] == 40e6
    assert found["memlint_container_pss_anon_bytes", api] == 15e6
    assert found["memlint_container_pss_file_bytes", api] == 5e6
    assert found["memlint_container_pss_shmem_bytes", api] == 0
    assert found["memlint_image_pss_file_bytes", (("image", "api:2.0"),)] == 9e6
    assert found["memlint_container_duplicate_file_bytes", api] == 10e6
    assert found["memlint_container_sharing_efficiency_ratio", api] == pytest.approx(2 / 3)
    assert found["memlint_image_containers", (("image", "api:2.0"),)] == 2
    assert found["memlint_image_pss_bytes", (("image", "api:2.0"),)] == 39e6
    assert found["memlint_measure_timestamp_seconds", ()] == NOW
    assert found["memlint_measure_duration_seconds", ()] == 0.42
    assert found["memlint_measure_whole", ()] == 1
    assert found["memlint_measure_unseen", ()] == 0


def test_what_is_unknown_is_absent() -> None:
    text = to_prometheus(HOSTS["unseen"], NOW)
    for absent in (
        "memlint_node_duplicate_file_bytes",
        "memlint_container_pss_bytes",
        "memlint_container_pss_file_bytes",
        "memlint_container_copied_up_bytes",
    ):
        assert absent not in text
    assert values(HOSTS["unseen"], "memlint_container_rss_bytes") == [40e6, 52e6, 38e6]
    assert values(HOSTS["unseen"], "memlint_measure_unseen") == [6]
    assert values(HOSTS["unseen"], "memlint_measure_whole") == [0]


@pytest.mark.parametrize(("containers", "expected"), [(False, [3]), (True, [])])
def test_how_many_containers_run_is_told_where_it_is_known(containers: bool, expected: list[float]) -> None:
    """Where others than those that were seen may run, their number is no figure of the node."""
    unseen = (Unseen("processes", "hidden", containers=containers),)
    assert values(measured.node(unseen=unseen), "memlint_node_containers") == expected


def test_one_unknown_figure_leaves_the_others() -> None:
    bare = measured.container("d" * 64, "other", "x", pss_bytes=None)
    found = measured.node(containers=(bare, measured.container(measured.API, "api-1", "api:2.0")))
    assert values(found, "memlint_container_pss_bytes") == [20e6]
    assert len(values(found, "memlint_container_rss_bytes")) == 2


def test_files_are_no_labels() -> None:
    many = tuple(
        measured.duplicate(f"/lib/{number}", 4096, measured.node().duplicates[0].placements) for number in range(500)
    )
    assert to_prometheus(measured.node(duplicates=many), NOW).count("\n") == to_prometheus(HOSTS["node"], NOW).count(
        "\n"
    )


def test_each_metric_has_its_type_and_help_once_and_before_its_samples() -> None:
    text = to_prometheus(HOSTS["node"], NOW)
    known: set[str] = set()
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("# HELP"):
            name = line.split()[2]
            assert name not in known
            known.add(name)
            assert lines[number + 1].split()[:3] == ["#", "TYPE", name]
        elif not line.startswith("#"):
            assert re.split(r"[{ ]", line)[0] == name
    assert known == {family.name for family in families(HOSTS["node"], NOW) if family.samples}


@given(st.dictionaries(st.sampled_from(["a", "b", "some_label"]), st.text(max_size=20)), st.floats(allow_nan=False))
def test_any_label_comes_back(labels: dict[str, str], value: float) -> None:
    pairs = tuple(labels.items())
    text = exposition([Family("x_bytes", "Help.", (Sample(value, pairs),))])
    ((name, found), got), *rest = read(text).items()
    assert (name, dict(found), got, rest) == ("x_bytes", labels, value, [])


def test_bytes_that_are_no_text_do_not_break_it() -> None:
    text = exposition([Family("x_bytes", "Help.", (Sample(1, (("name", "a\udcff"),)),))])
    assert text.encode("utf-8").decode("utf-8").count("\\\\udcff") == 1


def test_equal_labels_are_one_sample() -> None:
    text = exposition([Family("x_bytes", "Help.", (Sample(1, (("a", "b"),)), Sample(2, (("a", "b"),))))])
    assert read(text) == {("x_bytes", (("a", "b"),)): 2.0}


def test_a_container_that_was_not_looked_into_has_no_copied_up_bytes() -> None:
    seen = measured.container(measured.WORKER, "worker", "worker:1.1")
    late = measured.container(measured.API, "api-1", "api:2.0", file_pages_bytes=None, duplicate_bytes=None)
    none = measured.container(measured.CRON, "api-2", "api:2.0")
    found = read(to_prometheus(measured.node(containers=(seen, late, none)), NOW))
    sizes = {labels[0][1]: value for (name, labels), value in found.items() if name.endswith("_copied_up_bytes")}
    assert sizes == {measured.WORKER: 2e6, measured.CRON: 0}
