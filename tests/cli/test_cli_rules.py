"""`memlint rules` and `memlint explain`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import Memlint
from support.linting import RULES, write

from memlint.lint.ruleset import Rule

OWN = (Path(__file__).resolve().parents[2] / "rules" / "ML106.toml").read_text("utf-8")


def test_all_rules_are_listed(command: Memlint) -> None:
    lines = command.run("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [rule.id for rule in RULES]
    assert [line.split()[1:4] for line in lines] == [[rule.severity, rule.scope, rule.name] for rule in RULES]


@pytest.mark.parametrize("columns", [60, 100])
def test_the_list_is_as_wide_as_the_terminal(command: Memlint, columns: int) -> None:
    lines = command.run("rules", env={"COLUMNS": str(columns)}).stdout.splitlines()
    assert max(map(len, lines)) <= max(columns, 62)


def test_json(command: Memlint) -> None:
    rules = json.loads(command.run("rules", "--format", "json").stdout)
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert {"id", "name", "title", "severity", "scope", "rationale", "fix", "bad", "good", "thresholds"} <= set(
        rules[0]
    )


def test_the_configuration_shows(command: Memlint) -> None:
    own = OWN.replace('"ML106"', '"CORP1"').replace('"upgrade"', '"never"', 1)
    settings = "rules = ['ci']\n[rule.ML106]\nseverity = 'error'\n[rule.ML101.thresholds]\npinned_by = 'digest'\n"
    write(command.home, {"ci/CORP1.toml": own, "memlint.toml": settings})
    lines = {line.split()[0]: line.split()[1] for line in command.run("rules").stdout.splitlines()}
    assert (lines["ML106"], lines["CORP1"]) == ("error", "warning")
    assert 'pinned_by = "digest"' in command.run("explain", "ML101").stdout
    assert "CORP1 never" in command.run("explain", "never").stdout
    lines = {line.split()[0]: line.split()[1] for line in command.run("rules", "--isolated").stdout.splitlines()}
    assert lines["ML106"] == "warning"
    assert "CORP1" not in lines


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_explain(command: Memlint, rule: Rule) -> None:

    done = command.run("explain", rule.id, env={"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    for part in (rule.id, rule.name, "Why:", "What to do:", "Bad:", "Good:"):
        assert part in done.stdout
    examples = {line.rstrip() for line in (rule.bad + rule.good).splitlines()}
    prose = [line for line in done.stdout.splitlines() if line.strip() not in examples and not line.startswith("    ")]
    assert max(map(len, prose)) <= 100


@pytest.mark.parametrize("name", ["ML106", "ml106", "upgrade", "UPGRADE"])
def test_by_id_or_name(command: Memlint, name: str) -> None:
    assert command.run("explain", name).stdout.startswith("ML106 upgrade")


def test_several(command: Memlint) -> None:
    done = command.run("explain", "ML106", "ML101", "ML106")
    assert done.stdout.count("\nWhy:\n") == 2
    rules = json.loads(command.run("explain", "ML106", "ML101", "-f", "json").stdout)
    assert [rule["id"] for rule in rules] == ["ML106", "ML101"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("ML1066", "did you mean ML106?"), ("upgrad", "did you mean upgrade?"), ("xyzzy", "memlint rules")],
)
def test_a_rule_that_does_not_exist(command: Memlint, name: str, hint: str) -> None:
    message, said = command.refused("explain", name)
    assert name in message
    assert hint in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain",),
        ("rules", "ML106"),
        ("rules", "--format", "xml"),
        ("rules", "--config", "absent.toml"),
        ("explain", "ML106", "--config", "absent.toml"),
    ],
    ids=" ".join,
)
def test_bad_call(command: Memlint, arguments: tuple[str, ...]) -> None:
    command.refused(*arguments)


def test_colour(command: Memlint) -> None:
    for call in (("rules",), ("explain", "ML106")):
        assert "\x1b[" in command.run(*call, env={"FORCE_COLOR": "1"}).stdout
        assert "\x1b[" not in command.run(*call, "--no-color", env={"FORCE_COLOR": "1"}).stdout
        assert "\x1b[" not in command.run(*call).stdout
