"""Which rules apply, with which severities and thresholds, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from support.linting import RULES, config, linter, repository

from memlint.config import PathSettings, RuleSettings
from memlint.errors import UsageError
from memlint.lint.repository import Repository
from memlint.lint.ruleset import Rule
from memlint.lint.selection import active_rules, chosen, find_rule
from memlint.model.dockerfile import Dockerfile
from memlint.model.finding import Hit, Location

IDS = [rule.id for rule in RULES]
ONES = [each for each in IDS if each.startswith("ML1")]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, IDS),
        ({"select": ("ALL",)}, IDS),
        ({"select": ("all",)}, IDS),
        ({"select": ("ML1",)}, ONES),
        ({"select": ("ml1",)}, ONES),
        ({"select": ("ML101",)}, ["ML101"]),
        ({"select": ("unpinned-base",)}, ["ML101"]),
        ({"select": ("Unpinned-Base", "ML106")}, ["ML101", "ML106"]),
        ({"select": ("ML101",), "extend_select": ("ML106",)}, ["ML101", "ML106"]),
        ({"select": ("ML1",), "ignore": ("ML101",)}, ONES[1:]),
        ({"select": ("ML101",), "ignore": ("ML1",)}, []),
        ({"ignore": ("ML0", "ML2", "ML3")}, ONES),
    ],
)
def test_selection(settings: dict[str, tuple[str, ...]], wanted: list[str]) -> None:
    assert [rule.id for rule in chosen(RULES, config(**settings))] == wanted


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ML1066", "did you mean ML106?"),
        ("unpined-base", "did you mean unpinned-base?"),
        ("zzz", "memlint rules lists all of them"),
        ("M", "memlint rules lists all of them"),
        ("ML", "memlint rules lists all of them"),
    ],
)
@pytest.mark.parametrize("key", ["select", "extend_select", "ignore"])
def test_a_rule_that_does_not_exist(key: str, name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=rf"memlint\.toml: there is no rule '{name}'") as caught:
        chosen(RULES, config(file="memlint.toml", **{key: (name,)}))
    assert caught.value.hint == hint


def test_rules_are_found_by_id_and_name() -> None:
    assert find_rule(RULES, "ml106", "").id == find_rule(RULES, "upgrade", "").id == "ML106"


def test_rules_of_images_alone_are_no_rules_for_dockerfiles() -> None:
    with pytest.raises(UsageError, match="no rule for Dockerfiles"):
        active_rules(RULES, config(select=("ML2",)), "/repo")
    assert not [each for each in active_rules(RULES, config(), "/repo") if each.rule.scope == "images"]


UPGRADE = "FROM debian:12\nRUN apt-get upgrade -y\n"
FILES = {"old/Dockerfile": UPGRADE, "web/Dockerfile": UPGRADE}


def severities(**settings: Any) -> dict[str, str]:
    findings, _ = linter("ML106", **settings).findings(repository(FILES), tuple(FILES))
    return {finding.location.path.split("/")[0]: finding.severity for finding in findings}


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, {"old": "warning", "web": "warning"}),
        ({"rule": {"ML106": RuleSettings("error")}}, {"old": "error", "web": "error"}),
        ({"rule": {"upgrade": RuleSettings("error")}}, {"old": "error", "web": "error"}),
        ({"per_path": (PathSettings(("old",), ("ML106",)),)}, {"web": "warning"}),
        ({"per_path": (PathSettings(("old",), ("ML1",)),)}, {"web": "warning"}),
        ({"per_path": (PathSettings(("old",), ("ALL",)),)}, {"web": "warning"}),
        ({"per_path": (PathSettings(("old", "web"), ("upgrade",)),)}, {}),
        (
            {"per_path": (PathSettings(("old",), rule={"ML106": RuleSettings("style")}),)},
            {"old": "style", "web": "warning"},
        ),
        (
            {
                "rule": {"ML106": RuleSettings("error")},
                "per_path": (
                    PathSettings(("*",), rule={"ML106": RuleSettings("info")}),
                    PathSettings(("old",), rule={"ML106": RuleSettings("style")}),
                ),
            },
            {"old": "style", "web": "info"},
        ),
    ],
)
def test_severities_and_places(settings: dict[str, Any], wanted: dict[str, str]) -> None:
    assert severities(**settings) == wanted


def test_a_suppression_where_the_rule_is_ignored_is_not_called_unused() -> None:
    files = {"old/Dockerfile": "# memlint global ignore=ML106\nFROM debian:12\n"}
    place = (PathSettings(("old",), ("ML106",)),)
    assert linter("ML001", "ML106", per_path=place).findings(repository(files), tuple(files)) == ([], 0)


def longer_than(dockerfile: Dockerfile, repository: Repository, *, lines: int, words: tuple[str, ...]) -> Iterator[Hit]:
    """A check to try thresholds on."""
    count = dockerfile.text.count("\n")
    if count > lines and not any(word in dockerfile.text for word in words):
        yield Hit(Location(dockerfile.path), {"count": count})


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """A rule over that check."""
    monkeypatch.setattr("memlint.lint.engine.load_check", lambda *_: longer_than)
    rule = next(rule for rule in RULES if rule.id == "ML101")
    return msgspec.structs.replace(
        rule, id="ML901", name="own", message="{count} lines", thresholds={"lines": 1, "words": ("never",)}
    )


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({}, {"old", "web"}),
        ({"rule": {"ML901": RuleSettings(thresholds={"lines": 2})}}, set()),
        ({"rule": {"ML901": RuleSettings(thresholds={"words": ("debian",)})}}, set()),
        ({"per_path": (PathSettings(("old",), rule={"own": RuleSettings(thresholds={"lines": 2})}),)}, {"web"}),
        (
            {
                "rule": {"ML901": RuleSettings(thresholds={"lines": 2})},
                "per_path": (PathSettings(("old",), rule={"own": RuleSettings(thresholds={"lines": 0})}),),
            },
            {"old"},
        ),
    ],
)
def test_thresholds(own: Rule, settings: dict[str, Any], wanted: set[str]) -> None:
    found, _ = linter("ML901", rules=(own,), **settings).findings(repository(FILES), tuple(FILES))
    assert {finding.location.path.split("/")[0] for finding in found} == wanted


@pytest.mark.parametrize(
    ("settings", "problem", "hint"),
    [
        ({"rule": {"ML1066": RuleSettings()}}, "there is no rule 'ML1066'", "ML106"),
        ({"rule": {"ML901": RuleSettings(thresholds={"lins": 2})}}, "no threshold 'lins'", "did you mean lines?"),
        ({"rule": {"ML901": RuleSettings(thresholds={"zzz": 2})}}, "no threshold 'zzz'", "lines (int)"),
        ({"rule": {"ML901": RuleSettings(thresholds={"lines": "2"})}}, "threshold 'lines'", "int"),
        ({"rule": {"ML901": RuleSettings(thresholds={"lines": True})}}, "threshold 'lines'", "int"),
        (
            {"per_path": (PathSettings(("old",), rule={"ML901": RuleSettings(thresholds={"words": 1})}),)},
            "threshold 'words'",
            "tuple[str, ...]",
        ),
        (
            {"per_path": (PathSettings(("old",), rule={"no": RuleSettings()}),)},
            "there is no rule 'no'",
            "memlint rules",
        ),
        ({"per_path": (PathSettings(("old",), ("no",)),)}, "there is no rule 'no'", "memlint rules"),
    ],
)
def test_settings_that_do_not_fit(own: Rule, settings: dict[str, object], problem: str, hint: str) -> None:
    rules = (own, *RULES)
    with pytest.raises(UsageError) as caught:
        active_rules(rules, config(select=("ML901",), file="memlint.toml", **settings), "/repo")
    assert caught.value.message.startswith("memlint.toml: ")
    assert problem in caught.value.message
    assert hint in caught.value.hint


def test_a_rule_of_the_repository_has_one_set_of_thresholds() -> None:
    place = (PathSettings(("old",), rule={"ML301": RuleSettings(thresholds={"x": 1})}),)
    with pytest.raises(UsageError, match="ML301 looks at all files at once"):
        active_rules(RULES, config(per_path=place), "/repo")
