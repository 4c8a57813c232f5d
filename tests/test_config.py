"""Configuration: where it is found, what it may say, and what comes before what."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import tomli

import memlint
from memlint.config import (
    Config,
    PathSettings,
    RuleSettings,
    Selection,
    Settings,
    find_config,
    load_config,
    read_settings,
)
from memlint.errors import UsageError
from memlint.report.schema import schemas

SCHEMA = json.loads((Path(memlint.__file__).parent / "report/schemas/config.schema.json").read_text("utf-8"))

FULL = """
select = ["ML1", "base-drift"]
extend-select = ["ML301"]
ignore = ["ML102"]
exclude = ["vendor/**"]
rules = ["ci/memlint-rules"]
format = "json"
failure-threshold = "error"
baseline = "known.json"

[build-args]
VERSION = "12"

[rule.ML101]
severity = "error"
thresholds = { pinned_by = "digest", min_pinned = 0.5 }

[rule.ACME1]
thresholds = { count = 3, on = true, names = ["a", "b"] }

[[per-path]]
paths = ["legacy/**", "*.dev"]
ignore = ["ML106"]

[[per-path]]
paths = ["web"]
rule.ML101.severity = "style"
"""


def test_every_key(tmp_path: Path) -> None:
    path = tmp_path / "memlint.toml"
    path.write_text(FULL)
    assert read_settings(str(path)) == Settings(
        select=("ML1", "base-drift"),
        extend_select=("ML301",),
        ignore=("ML102",),
        exclude=("vendor/**",),
        rules=("ci/memlint-rules",),
        format="json",
        failure_threshold="error",
        baseline="known.json",
        build_args={"VERSION": "12"},
        rule={
            "ML101": RuleSettings("error", {"pinned_by": "digest", "min_pinned": 0.5}),
            "ACME1": RuleSettings(thresholds={"count": 3, "on": True, "names": ("a", "b")}),
        },
        per_path=(
            PathSettings(("legacy/**", "*.dev"), ("ML106",)),
            PathSettings(("web",), rule={"ML101": RuleSettings("style")}),
        ),
    )
    jsonschema.Draft202012Validator(SCHEMA).validate(tomli.loads(FULL))
    assert set(SCHEMA["properties"]) == set(tomli.loads(FULL))


def test_pyproject_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "memlint.toml").write_text(FULL)
    tables = FULL.replace("[[per-path]]", "[[tool.memlint.per-path]]").replace("[rule", "[tool.memlint.rule")
    text = "[project]\nname = 'x'\n[tool.memlint]\n" + tables.replace("[build-args]", "[tool.memlint.build-args]")
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_settings(str(tmp_path / "pyproject.toml")) == read_settings(str(tmp_path / "memlint.toml"))


@pytest.mark.parametrize(
    ("files", "start", "found"),
    [
        ({}, "a/b", None),
        ({"memlint.toml": ""}, "a/b", "memlint.toml"),
        ({"memlint.toml": "", "a/memlint.toml": ""}, "a/b", "a/memlint.toml"),
        ({"pyproject.toml": "[tool.memlint]\n"}, "a/b", "pyproject.toml"),
        ({"pyproject.toml": "[tool.memlint]\n", "a/pyproject.toml": "[project]\nname='x'\n"}, "a/b", "pyproject.toml"),
        ({"pyproject.toml": "[project]\nname = 'memlint-x'\n"}, "a/b", None),
        ({"pyproject.toml": "tool = 3 # memlint\n"}, "a/b", None),
        ({"pyproject.toml": "[tool.memlint]\n", "memlint.toml": ""}, "a", "memlint.toml"),
        ({"memlint.toml": "", "a/pyproject.toml": "[tool.memlint]\n"}, "a", "a/pyproject.toml"),
        ({"a/b/memlint.toml": ""}, "a", None),
    ],
)
def test_the_next_file_upwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], start: str, found: str | None
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    above = find_config(str(tmp_path.parent))
    assert find_config(start) == (found if found is not None else above)


def load(tmp_path: Path, text: str, **given: object) -> Config:
    (tmp_path / "memlint.toml").write_text(text)
    return load_config(given, file=str(tmp_path / "memlint.toml"))


@pytest.mark.parametrize(
    ("text", "given", "wanted"),
    [
        ("", {}, {"select": None, "failure_threshold": "info", "format": "text"}),
        ("format = 'json'", {}, {"format": "json"}),
        ("format = 'json'", {"format": None}, {"format": "json"}),
        ("format = 'json'", {"format": "sarif"}, {"format": "sarif"}),
        ("ignore = ['ML1']", {"ignore": ("ML2",)}, {"ignore": ("ML1",), "given": Selection("--", ignore=("ML2",))}),
        ("select = ['ML3']", {"select": ()}, {"select": ("ML3",), "given": Selection("--", ())}),
        ("", {"extend_select": ("ML2",), "select": None}, {"given": Selection("--", extend_select=("ML2",))}),
        ("[build-args]\nA = '1'\nB = '2'", {"build_args": {"B": "3"}}, {"build_args": {"A": "1", "B": "3"}}),
    ],
)
def test_the_command_line_comes_last(
    tmp_path: Path, text: str, given: dict[str, object], wanted: dict[str, object]
) -> None:
    config = load(tmp_path, text, **given)
    assert {key: getattr(config, key) for key in wanted} == wanted


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, "rules = ['ci', '/abs']\nbaseline = 'known.json'")
    assert config.rules == (f"{tmp_path}/ci", "/abs")
    assert config.baseline == f"{tmp_path}/known.json"
    assert config.directory == str(tmp_path)
    assert load(tmp_path, "baseline = 'known.json'", baseline="other.json").baseline == "other.json"


def test_isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memlint.toml").write_text("format = 'json'")
    monkeypatch.chdir(tmp_path)
    assert load_config({}).format == "json"
    assert (load_config({}, isolated=True).format, load_config({}, isolated=True).file) == ("text", None)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("selct = ['ML1']", "selct: there is no such key", "did you mean select?"),
        ("failure_threshold = 'info'", "failure_threshold: there is no such key", "did you mean failure-threshold?"),
        ("zzz = 1", "zzz: there is no such key", "the keys are: select, "),
        ("[rule.ML101]\nseverty = 'info'", "rule.ML101.severty: there is no such key", "did you mean severity?"),
        ("[[per-path]]\npath = ['a']", "per-path[0].path: there is no such key", "did you mean paths?"),
        (
            "[[per-path]]\npaths = ['a']\n[per-path.rule.ML101]\nsevere = 1",
            "per-path[0].rule.ML101.severe: there is no such key",
            "did you mean severity?",
        ),
        ("[rules.ML101]\nseverity = 'info'", "rules: is a list of directories", "rule.ML101"),
        ("[[per-path]]\nignore = ['a']", "per-path[0]", "docs/lint.md"),
        ("select = 'ML1'", "select: Expected `array | null`, got `str`", "docs/lint.md"),
        ("select = [1]", "select[0]", "docs/lint.md"),
        ("format = 'xml'", "format: 'xml' is none of text, json, ", "docs/lint.md"),
        ("format = 'srif'", "format: 'srif' is none of ", "did you mean sarif?"),
        ("failure-threshold = 'loud'", "failure-threshold: 'loud' is none of error, warning, ", "docs/lint.md"),
        (
            "rule.ML102.severity = 'info'\nrule.ML101.severity = 'fatal'",
            "rule.ML101.severity: 'fatal' is none of error, warning, info, style",
            "docs/lint.md",
        ),
        ("rule.ML101.severity = 3", "rule.ML101.severity: Expected `str", "docs/lint.md"),
        (
            "[[per-path]]\npaths = ['a']\nrule.ML101.severity = 'warn'",
            "per-path[0].rule.ML101.severity: 'warn' is none of error, ",
            "did you mean warning?",
        ),
        ("rule = 3", "rule: Expected", "docs/lint.md"),
        ("rule.ML101 = 3", "rule.ML101: Expected `object`, got `int`", "docs/lint.md"),
        ("rule.ML101.thresholds = 3", "rule.ML101.thresholds: Expected `object`", "docs/lint.md"),
        ("per-path = 3", "per-path: Expected", "docs/lint.md"),
        ("per-path = [3]", "per-path[0]", "docs/lint.md"),
        ("build-args = 1", "build-args: Expected `object`", "docs/lint.md"),
        ("[build-args]\nA = 'a'\nX = 3", "build-args.X: Expected `str`, got `int`", 'X = "…"'),
        ("rule.ML101.thresholds.x = 1979-05-27", "rule.ML101.thresholds.x: Expected", "docs/lint.md"),
        ("select = [", "cannot be read (", "TOML"),
        ("a = 1\na = 2", "cannot be read (", "TOML"),
        ("\udcff", "cannot be read (", "TOML"),
        ("a = " + "[" * 100_000, "cannot be read (", "TOML"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, text: str, problem: str, hint: str) -> None:
    (tmp_path / "memlint.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        load_config({}, file=str(tmp_path / "memlint.toml"))
    assert caught.value.message.startswith(f"{tmp_path}/memlint.toml: ")
    assert problem in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["absent.toml", "directory"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(UsageError, match=f"{name}: cannot be read"):
        load_config({}, file=str(tmp_path / name))


@pytest.mark.parametrize("text", ["tool.memlint = 3", "[[tool.memlint]]\nselect = ['ML1']"])
def test_a_pyproject_with_something_else_in_its_place_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=r"pyproject\.toml: tool\.memlint: is no table"):
        load_config({}, start=str(tmp_path))


def test_a_pyproject_without_the_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(UsageError, match=r"has no table \[tool\.memlint\]"):
        load_config({}, file=str(tmp_path / "pyproject.toml"))


def test_the_schemas_are_the_generated_ones() -> None:
    directory = Path(memlint.__file__).parent / "report" / "schemas"
    shipped = {path.name: json.loads(path.read_text("utf-8")) for path in directory.glob("*.json")}
    assert shipped == schemas()
    for schema in shipped.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "text",
    [
        *("selct = []", "format = 'xml'", "rule.ML101.severity = 'loud'", "per-path = [{}]", "build-args.X = 3"),
        *("rule.ML101.thresholds.pinned_by = 'foo'", "rule.unpinned-base.thresholds.min_pinned = 7"),
        *("rule.ML103.thresholds.managers = ['aptt']", "rule.ML301.thresholds.min_images = -1"),
        *(
            "rule.ML201.thresholds.min_bytes = 0.5",
            "rule.ML101.thresholds.pinnd_by = 'tag'",
            "rule.ML106.thresholds.x = 1",
        ),
        "[[per-path]]\npaths = ['a']\nrule.ML101.thresholds.pinned_by = 'foo'",
    ],
)
def test_the_schema_refuses_what_memlint_refuses(text: str) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(tomli.loads(text))
