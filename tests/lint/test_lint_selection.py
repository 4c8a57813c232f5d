"""Which rules apply, with which severities and thresholds, and where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.linting import RULES, config, linter, repository

from memlint.config import PathSettings, RuleSettings, Selection, load_config
from memlint.errors import UsageError
from memlint.lint.globs import Globs
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
        ({"select": ("ML101",), "ignore": ("ML1",)}, ["ML101"]),
        ({"select": ("ML101",), "ignore": ("ML10", "ML101")}, []),
        ({"extend_select": ("ML101",), "ignore": ("ALL",)}, ["ML101"]),
        ({"select": ("ML1",), "ignore": ("ALL",)}, ONES),
        ({"ignore": ("ML101",), "given": Selection(extend_select=("ML101",))}, IDS),
        ({"ignore": ("ML1",), "given": Selection(extend_select=("ML101",), ignore=("ML0", "ML2", "ML3"))}, ["ML101"]),
        ({"ignore": ("ML101",), "given": Selection(select=("ML1",))}, ONES),
        ({"select": ("ML101",), "extend_select": ("ML102",), "given": Selection(select=("ML103",))}, ["ML103"]),
        ({"select": ("ML101", "ML102"), "given": Selection(ignore=("ML1",))}, []),
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
        ("ML999", "memlint rules lists all of them"),
        ("nothing", "memlint rules lists all of them"),
        ("ML", "memlint rules lists all of them"),
    ],
)
@pytest.mark.parametrize("key", ["select", "extend_select", "ignore"])
def test_a_rule_that_does_not_exist(key: str, name: str, hint: str) -> None:
    given = Selection("--", **{key: (name,)})
    settings: tuple[tuple[str, dict[str, Any]], ...] = (("memlint.toml: ", {key: (name,)}), ("--", {"given": given}))
    for place, changed in settings:
        with pytest.raises(UsageError) as caught:
            chosen(RULES, config(file="memlint.toml", **changed))
        assert caught.value.message == f"{place}{key.replace('_', '-')}: there is no rule {name!r}"
        assert caught.value.hint == hint


def test_rules_are_found_by_id_and_name() -> None:
    assert find_rule(RULES, "ml106", "").id == find_rule(RULES, "upgrade", "").id == "ML106"


def test_rules_of_images_alone_are_no_rules_for_dockerfiles() -> None:
    with pytest.raises(UsageError, match=r"^select: no rule for Dockerfiles"):
        active_rules(RULES, config(select=("ML2",)), "/repo")
    assert not [each for each in active_rules(RULES, config(), "/repo") if each.rule.scope == "images"]


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"select": ()}, "memlint.toml: select"),
        ({"ignore": ("ALL",)}, "memlint.toml: ignore"),
        ({"select": ("ML2",), "given": Selection("--", ignore=("ML1",))}, "memlint.toml: select, --ignore"),
        ({"given": Selection("--", select=("ML2",))}, "--select"),
    ],
)
def test_what_leaves_no_rule_is_named(settings: dict[str, Any], keys: str) -> None:
    with pytest.raises(UsageError, match=f"^{keys}: no rule for Dockerfiles is selected"):
        active_rules(RULES, config(file="memlint.toml", **settings), "/repo")


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
    for module in ("engine", "selection"):
        monkeypatch.setattr(f"memlint.lint.{module}.load_check", lambda *_: longer_than)
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
        ({"rule": {"ML901": RuleSettings(thresholds={"zzz": 2})}}, "no threshold 'zzz'", "lines (a whole number)"),
        (
            {"rule": {"ML901": RuleSettings(thresholds={"lines": "2"})}},
            "rule.ML901: threshold 'lines' is \"2\", and has to be a whole number",
            "memlint explain",
        ),
        ({"rule": {"own": RuleSettings(thresholds={"lines": True})}}, "rule.own: threshold 'lines' is true", "memlint"),
        (
            {"rule": {"unpinned-base": RuleSettings(), "ML101": RuleSettings("info")}},
            "rule.unpinned-base and rule.ML101 are one rule",
            "one table",
        ),
        ({"rule": {"ML001": RuleSettings(thresholds={"x": 1})}}, "rule.ML001: ML001 has no thresholds", "severity"),
        (
            {"per_path": (PathSettings(("old",), rule={"ML901": RuleSettings(thresholds={"words": 1})}),)},
            "per-path[0].rule.ML901: threshold 'words' is 1, and has to be a list of texts",
            "memlint explain",
        ),
        (
            {"per_path": (PathSettings(("old",), rule={"no": RuleSettings()}),)},
            "there is no rule 'no'",
            "memlint rules",
        ),
        (
            {"per_path": (PathSettings(("old",), ("no",)),)},
            "per-path[0].ignore: there is no rule 'no'",
            "memlint rules",
        ),
        ({"per_path": (PathSettings(("[z-a]",)),)}, "per-path[0].paths: '[z-a]' is no pattern", ".gitignore"),
    ],
)
def test_settings_that_do_not_fit(own: Rule, settings: dict[str, object], problem: str, hint: str) -> None:
    rules = (own, *RULES)
    with pytest.raises(UsageError) as caught:
        active_rules(rules, config(select=("ML901",), file="memlint.toml", **settings), "/repo")
    assert caught.value.message.startswith("memlint.toml: ")
    assert problem in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("rule", "thresholds", "problem", "hint"),
    [
        ("ML101", {"pinned_by": "foo"}, '"foo", and has to be "tag" or "digest"', "memlint explain"),
        ("ML101", {"pinned_by": "digst"}, '"digst", and has to be "tag" or "digest"', "did you mean digest?"),
        ("ML102", {"min_pinned": 7}, "7, and has to be a number from 0 to 1", "memlint explain"),
        ("ML102", {"min_pinned": float("nan")}, "null, and has to be a number from 0 to 1", "memlint explain"),
        (
            "ML103",
            {"managers": ("apt", "aptt")},
            '["apt","aptt"], and has to be a list of "apt", ',
            "did you mean apt?",
        ),
        ("ML104", {"names": "X"}, '"X", and has to be a list of texts', "memlint explain"),
        ("ML105", {"brought_by": "both"}, '"both", and has to be "base" or "image"', "memlint explain"),
        ("ML201", {"min_bytes": -1}, "-1, and has to be a whole number from 0", "memlint explain"),
        ("ML301", {"min_images": -1}, "-1, and has to be a whole number from 2", "memlint explain"),
        ("ML303", {"min_sharing": 0}, "0, and has to be a whole number from 1", "memlint explain"),
        ("ML303", {"all_files": "yes"}, '"yes", and has to be true or false', "memlint explain"),
    ],
)
def test_thresholds_that_no_check_takes(rule: str, thresholds: dict[str, Any], problem: str, hint: str) -> None:
    """Whether the rule is selected or not."""
    settings = config(select=("ML106",), file="memlint.toml", rule={rule: RuleSettings(thresholds=thresholds)})
    with pytest.raises(UsageError) as caught:
        active_rules(RULES, settings, "/repo")
    assert caught.value.message == f"memlint.toml: rule.{rule}: threshold {next(iter(thresholds))!r} is {problem}" or (
        rule == "ML103" and problem in caught.value.message
    )
    assert hint in caught.value.hint


def test_a_rule_of_the_repository_has_one_set_of_thresholds() -> None:
    place = (PathSettings(("old",), rule={"ML301": RuleSettings(thresholds={"min_images": 3})}),)
    with pytest.raises(UsageError, match=r"^per-path\[0\]\.rule: ML301 looks at all files at once"):
        active_rules(RULES, config(per_path=place), "/repo")


def test_the_documented_configuration_is_one(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/lint.md").read_text("utf-8")
    example = text.partition("## Configuration")[2].partition("```toml\n")[2].partition("```")[0]
    (tmp_path / "memlint.toml").write_text(example)
    found = load_config({}, file=str(tmp_path / "memlint.toml"))
    active = {each.rule.name: each for each in active_rules(RULES, found, str(tmp_path))}
    assert "upx" in active
    assert "base-without-digest" not in active
    assert active["unpinned-base"].thresholds["pinned_by"] == "digest"
    excluded = Globs(found.exclude, found.directory, str(tmp_path))
    assert [excluded.match(path) for path in ("vendor/Dockerfile", "a.old.Dockerfile", "web.old.Dockerfile")] == [
        True,
        True,
        False,
    ]
