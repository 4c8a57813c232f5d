"""Every example of a rule does what its page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.linting import RULES, linter, repository, write

from memlint.dockerfile.discover import is_dockerfile_name
from memlint.lint.ruleset import Rule

LINTED = [rule for rule in RULES if rule.scope != "images"]
_FILE = re.compile(r"^# file: (\S+)\n", re.MULTILINE)


def files(example: str) -> dict[str, str]:
    """The Dockerfiles of an example, by path."""
    first, *rest = _FILE.split(example.lstrip("\n"))
    return dict(zip(rest[::2], rest[1::2], strict=True)) if rest else {"Dockerfile": first}


def found(rule: Rule, example: str, home: Path) -> list[str]:
    written = files(example)
    write(home, written)
    dockerfiles = {path: text for path, text in written.items() if is_dockerfile_name(path.rpartition("/")[2])}
    findings, _ = linter().findings(repository(dockerfiles, str(home)), tuple(dockerfiles))
    return [finding.message for finding in findings if finding.rule == rule.id]


@pytest.mark.parametrize("rule", LINTED, ids=lambda rule: rule.id)
def test_the_bad_example_is_found(rule: Rule, tmp_path: Path) -> None:
    assert found(rule, rule.bad, tmp_path)


@pytest.mark.parametrize("rule", LINTED, ids=lambda rule: rule.id)
def test_the_good_example_is_not(rule: Rule, tmp_path: Path) -> None:
    assert found(rule, rule.good, tmp_path) == []


def test_files_of_an_example() -> None:
    assert files("FROM a\n") == {"Dockerfile": "FROM a\n"}
    assert files("\n# file: a/Dockerfile\nFROM a\n# file: b\nFROM b\n") == {"a/Dockerfile": "FROM a\n", "b": "FROM b\n"}
