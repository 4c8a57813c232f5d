"""Rule files: the shipped ones, and those of users."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from memlint.errors import UsageError
from memlint.lint.pages import page
from memlint.lint.ruleset import Rule, checks, load_check, load_rules, thresholds_for

ROOT = Path(__file__).resolve().parents[2]
RULES = load_rules()
CHECKED = [rule for rule in RULES if rule.check]

OWN = """
id = "ML901"
name = "no-upgrade-here"
title = "We never upgrade"
severity = "error"
scope = "file"
check = "upgrade"
message = "{command} is forbidden"
rationale = "Because."
fix = "Do not."
bad = "RUN apt-get upgrade"
good = "RUN true"
"""


@pytest.mark.parametrize("rule", CHECKED, ids=lambda rule: rule.id)
def test_every_rule_fits_its_check(rule: Rule) -> None:
    check = load_check(rule, rule.id)
    thresholds_for(check, rule.thresholds, rule.id)
    assert check.__doc__


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_says_all(rule: Rule) -> None:
    assert rule.rationale.strip()
    assert rule.fix.strip()
    assert rule.bad.strip()
    assert rule.good.strip()
    assert not rule.title.endswith(".")
    family = {"file": "01", "repository": "3", "images": "2"}[rule.scope]
    assert rule.id[2] in family
    assert (rule.check is None) == (rule.id[2] == "0" or (rule.check is None and rule.scope == "images"))


def test_every_check_has_a_rule() -> None:
    assert {rule.check for rule in CHECKED} == set(checks())


def test_own_rules_come_on_top(tmp_path: Path) -> None:
    (tmp_path / "ML901.toml").write_text(OWN)
    rules = load_rules(more=[str(tmp_path)])
    assert len(rules) == len(RULES) + 1
    assert rules[-1].name == "no-upgrade-here"


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("ML901.toml", 'check = "upgrade"', "", "has no check, so it would find nothing"),
        ("ALL.toml", '"ML901"', '"ALL"', "has the id 'ALL'"),
        ("my rule, x.toml", '"ML901"', '"my rule, x"', "has the id 'my rule, x'"),
        ("ml901.toml", '"ML901"', '"ml901"', "has the id 'ml901'"),
        ("ML901.toml", "no-upgrade-here", "No upgrade", "has the name 'No upgrade'"),
        ("ML901.toml", "no-upgrade-here", "all", "has the name 'all'"),
        ("ML901.toml", "no-upgrade-here", "ml106", "has the name 'ml106'"),
        ("ML902.toml", "", "", "has the id ML901"),
        ("ML901.toml", "no-upgrade-here", "upgrade", "is there already"),
        ("ML901.toml", 'check = "upgrade"', 'check = "../../etc"', "needs the name of a check"),
        ("ML901.toml", 'check = "upgrade"', "check = 3", "is no rule"),
        ("ML901.toml", 'message = "{command} is forbidden"', "", "needs the name of a check, and a message"),
        ("ML901.toml", 'severity = "error"', 'severity = "loud"', "is no rule"),
        ("ML901.toml", 'scope = "file"', 'scope = "world"', "is no rule"),
        ("ML901.toml", 'title = "We never upgrade"', "", "is no rule"),
        ("ML901.toml", 'fix = "Do not."', 'fix = "Do not."\nfixx = 1', "is no rule"),
        ("ML901.toml", 'fix = "Do not."', 'fix = "Do not', "is no rule"),
        ("ML901.toml", 'fix = "Do not."', "fix = " + "[" * 100_000, "is no rule"),
    ],
)
def test_a_file_that_is_no_rule_is_named(tmp_path: Path, name: str, old: str, new: str, problem: str) -> None:
    (tmp_path / name).write_text(OWN.replace(old, new))
    with pytest.raises(UsageError) as caught:
        load_rules(more=[str(tmp_path)])
    assert caught.value.message.startswith(f"{tmp_path}/{name}: ")
    assert problem in caught.value.message


def test_the_id_of_another_rule_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ML101.toml").write_text(OWN.replace("ML901", "ML101"))
    with pytest.raises(UsageError, match=r"ML101 .* is there already"):
        load_rules(more=[str(tmp_path)])


def test_a_directory_of_rules_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no directory of rules"):
        load_rules(more=[str(tmp_path / "absent")])


@pytest.mark.parametrize(
    ("lines", "problem", "hint"),
    [
        ('check = "upgrad"', "no check is named 'upgrad'", "did you mean upgrade?"),
        ('check = "zzzzz"', "no check is named 'zzzzz'", "the checks are: "),
        ('check = "unpinned_base"', "lacks the threshold 'pinned_by'", 'pinned_by ("tag" or "digest")'),
        ('check = "upgrade"\nthresholds = { many = 1 }', "has no threshold 'many'", "takes none"),
        (
            'check = "copied_up"\nthresholds = { brought_by = "both" }',
            'threshold \'brought_by\' is "both", and has to be "base" or "image"',
            "memlint explain",
        ),
        (
            'check = "base_drift"\nthresholds = { min_images = 2, all_files = true }',
            "has the scope 'file', which the check base_drift is not for",
            'write scope = "repository"',
        ),
        ('check = "text_relocations"', "has the scope 'file'", 'write scope = "images"'),
    ],
)
def test_a_rule_that_does_not_fit_its_check(tmp_path: Path, lines: str, problem: str, hint: str) -> None:
    (tmp_path / "ML901.toml").write_text(OWN.replace('check = "upgrade"', lines))
    with pytest.raises(UsageError) as caught:
        load_rules(more=[str(tmp_path)])
    assert caught.value.message.startswith(f"{tmp_path}/ML901.toml: ")
    assert problem in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("scope", ["repository", "images"])
def test_a_rule_of_another_scope_than_its_check(tmp_path: Path, scope: str) -> None:
    (tmp_path / "ML901.toml").write_text(OWN.replace('scope = "file"', f'scope = "{scope}"'))
    with pytest.raises(UsageError, match=f"has the scope '{scope}', which the check upgrade is not for"):
        load_rules(more=[str(tmp_path)])


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({}, "No hit was found in the corpus"),
        ({}, "so there is no figure: it is known by its examples and tests alone."),
        ({"precision": "4/4"}, "right: 4/4 in the corpus of real repositories that memlint is tested with (all, or"),
        ({"precision_all_files": "4/4"}, "with `all_files = true`: by default it finds nothing there."),
        ({"public": "7/7"}, "right: 7/7 in other public Dockerfiles"),
        ({"public": "7/7"}, "tested with, so there is no figure for it."),
        ({"precision": "4/4", "public": "7/7"}, "(all, or twenty); 7/7 in other public"),
    ],
)
def test_a_page_says_how_sure_a_rule_is(figures: dict[str, str], text: str) -> None:
    rule = next(rule for rule in load_rules() if rule.id == "ML110")
    assert text in page(replace(rule, **{"precision": None, "public": None, **figures}))


def test_the_pages_are_the_generated_ones(tmp_path: Path) -> None:
    subprocess.run(
        (sys.executable, "-m", "memlint.lint.pages", str(tmp_path)), cwd=ROOT, check=True, capture_output=True
    )
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text("utf-8") for path in (ROOT / "docs" / "rules").iterdir()}
    assert set(made) == {"README.md", *(f"{rule.id}.md" for rule in RULES)}
