"""The rules are complete, and each cause of duplicates has the one rule that explains it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memlint.errors import UsageError
from memlint.lint.ruleset import Rule, load_rules
from memlint.sharing.causes import CAUSES

GOOD = Path(__file__).resolve().parent.parent / "rules" / "ML201.toml"


def test_every_cause_has_exactly_one_rule() -> None:
    assert sorted(rule.cause for rule in load_rules() if rule.cause) == sorted(CAUSES)


def test_ids_and_names_are_unique() -> None:
    rules = load_rules()
    assert len({rule.id for rule in rules}) == len({rule.name for rule in rules}) == len(rules)


def _counts(rule: Rule) -> tuple[str | None, ...]:
    return rule.precision, rule.precision_all_files, rule.public


def test_no_rule_is_often_wrong() -> None:
    counted = [text.split("/") for rule in load_rules() for text in _counts(rule) if text]
    assert counted
    assert all(int(right) >= 0.95 * int(hits) for right, hits in counted)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('severity = "warning"', 'severity = "loud"', "severity"),
        ('title = "Images stand on different bases"', "", "title"),
        ('scope = "images"', 'scope = "images"\nthreshhold = 3', "threshhold"),
        ('id = "ML201"', 'id = "ML999"', "ML999"),
        ('id = "ML201"', 'id = "ML201', "ML201.toml"),
        ('id = "ML201"', 'id = "ML201"\nprecision = "20/19"', "precision '20/19'"),
        ('id = "ML201"', 'id = "ML201"\npublic = "most"', "public 'most'"),
    ],
)
def test_a_broken_rule_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = GOOD.read_text("utf-8")
    assert old in text
    (tmp_path / "ML201.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(UsageError, match=complaint) as caught:
        load_rules(tmp_path)
    assert "ML201.toml" in caught.value.message
