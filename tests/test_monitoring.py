"""The dashboard and the rules in docs: Prometheus takes them, and they ask for nothing that memlint does not give."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import measured
from support.command import ROOT
from support.promtool import promtool

from memlint.cli.exporter import own_metrics
from memlint.report.measure.prometheus import families

RULES = ROOT / "docs" / "prometheus" / "memlint.rules.yml"
TESTS = ROOT / "docs" / "prometheus" / "memlint.rules.test.yml"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs" / "grafana" / "memlint.json").read_text("utf-8"))
GROUPS: list[dict[str, Any]] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
RULE_LIST: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
RECORDED = {rule["record"] for rule in RULE_LIST if "record" in rule}
_METRIC = re.compile(r"[a-z_:]*memlint_[a-z_:]+")


def given() -> dict[str, set[str]]:
    """The labels of each metric that memlint gives."""
    all_families = [*families(measured.node(), 0), *own_metrics(1, 0, failing=False)]
    return {
        family.name: {name for sample in family.samples for name, _ in sample.labels} | {"instance", "job"}
        for family in all_families
    }


def expressions() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"].removeprefix("label_values(").partition(",")[0]


def test_rules_are_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", RULES)


def test_rules_do_what_they_say() -> None:
    assert "SUCCESS" in promtool("test", "rules", TESTS)


def test_each_rule_is_tested() -> None:
    tests = TESTS.read_text("utf-8")
    for rule in RULE_LIST:
        assert f"alertname: {rule['alert']}\n" in tests if "alert" in rule else f"expr: {rule['record']}\n" in tests


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_what_is_given(rule: dict[str, Any]) -> None:
    asked = set(_METRIC.findall(rule["expr"]))
    assert asked
    assert asked <= given().keys() | RECORDED
    labels = {label for metric in asked for label in given().get(metric, {"instance", "image"})}
    assert set(re.findall(r"\$labels\.(\w+)", str(rule.get("annotations")))) <= labels


def test_the_dashboard_asks_for_what_is_given() -> None:
    metrics = given()
    for title, expression in expressions():
        asked = set(_METRIC.findall(expression))
        assert asked, title
        assert asked <= metrics.keys(), title
        for metric, matchers in re.findall(r"(memlint_\w+)\{([^}]*)\}", expression):
            assert {part.partition("=")[0] for part in matchers.split(",")} <= metrics[metric]


def test_the_dashboard_shows_what_its_legends_name() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            labels = {label for metric in _METRIC.findall(target["expr"]) for label in given()[metric]}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


def test_the_dashboards_expressions_parse(tmp_path: Path) -> None:
    rules = [
        {"record": f"dashboard:{number}", "expr": expression.replace("$instance", ".*")}
        for number, (_, expression) in enumerate(expressions())
    ]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(rules)} rules found" in promtool("check", "rules", file)


def test_the_dashboard_is_one() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        assert panel["title"]
        assert panel["description"]
        taken |= cells


def test_a_wrong_metric_would_be_found() -> None:
    assert set(_METRIC.findall("sum(memlint_node_nothing_bytes)")) - given().keys() == {"memlint_node_nothing_bytes"}
