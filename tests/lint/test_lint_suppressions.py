"""Comments that suppress: what they cover, and what is said about those that suppress nothing."""

from __future__ import annotations

import pytest
from support.linting import lint, linter, repository

BASE = "debian:12"
UPGRADE = "RUN apt-get update && apt-get upgrade -y\n"


def found(text: str) -> list[tuple[str, int]]:
    """The rules found in a file, with their lines."""
    return [
        (finding.rule, finding.location.span.line if finding.location.span else 0)
        for finding in lint(text, "ML001", "ML002", "ML101", "ML106")
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"FROM {BASE}\n{UPGRADE}", [("ML106", 2)]),
        (f"FROM {BASE}\n# memlint ignore=ML106\n{UPGRADE}", []),
        (f"FROM {BASE}\n# memlint ignore=ML106 # for a reason\n{UPGRADE}", []),
        (f"FROM {BASE}\n#memlint ignore = ml106\n{UPGRADE}", []),
        (f"FROM {BASE}\n# memlint ignore=upgrade\n{UPGRADE}", []),
        (f"FROM {BASE}\n  # memlint ignore=ML106\n{UPGRADE}", []),
        (f"FROM {BASE}\r\n# memlint ignore=ML106\r\n{UPGRADE}", []),
        (f"FROM {BASE}\n# memlint ignore=ML106\n# other words\n{UPGRADE}", []),
        (f"FROM {BASE}\n# other words\n# memlint ignore=ML106\n{UPGRADE}", []),
        (f"FROM {BASE}\n# memlint ignore=ML101,ML106\n{UPGRADE}", [("ML001", 2)]),
        ("# memlint ignore=ML101 , ML106\nFROM debian\n" + UPGRADE, [("ML001", 1), ("ML106", 3)]),
        (f"FROM {BASE}\n# memlint ignore=ML106\n\n{UPGRADE}", [("ML001", 2), ("ML106", 4)]),
        (f"# memlint global ignore=ML106\nFROM {BASE}\n{UPGRADE}{UPGRADE}", []),
        (f"FROM {BASE}\n{UPGRADE}# memlint global ignore=ML106\n", []),
        (f"# syntax=docker/dockerfile:1\n# memlint global ignore=ML106\nFROM {BASE}\n{UPGRADE}", []),
        (f"# memlint global ignore=ML106\n# escape=`\nFROM {BASE}\n{UPGRADE}", []),
        (f"FROM {BASE}\n# memlint ignore=ML106\nRUN true && \\\n apt-get upgrade -y\n", []),
        (f"FROM {BASE}\nRUN true && \\\n# memlint ignore=ML106\n apt-get upgrade -y\n", []),
        (
            f"FROM {BASE}\nRUN true && \\\n# memlint ignore=ML106\n true && \\\n apt-get upgrade -y\n",
            [("ML001", 3), ("ML106", 5)],
        ),
        (f"FROM {BASE}\nRUN <<EOF\n# memlint ignore=ML106\napt-get upgrade -y\nEOF\n", [("ML106", 4)]),
        (f"FROM {BASE}\n# memlint ignore=ML106\n", [("ML001", 2)]),
        (f"FROM {BASE}\n# memlint ignore=ML001,ML106\nRUN true\n", []),
        (f"# memlint global ignore=ML001\nFROM {BASE}\n# memlint ignore=ML106\nRUN true\n", []),
        (f"# memlint global ignore=ML001\nFROM {BASE}\n", []),
        (f"FROM {BASE}\n# memlint ignore=ML201\nRUN true\n", []),
        (f"FROM {BASE}\n# memlint ignore=ML303\nRUN true\n", []),
        (f"FROM {BASE}\n# memlint ignore=ML1066\nRUN true\n", [("ML002", 2)]),
        (f"FROM {BASE}\n# memlint ignore=ML002,ML1066\nRUN true\n", []),
        (f"# memlint global ignore=ML002\nFROM {BASE}\n# memlint ignore=ML1066\nRUN true\n", []),
        (f"FROM {BASE}\n# memlint: ignore=ML106\n{UPGRADE}", [("ML002", 2), ("ML106", 3)]),
        (f"FROM {BASE}\n# memlint ignore ML106\n{UPGRADE}", [("ML002", 2), ("ML106", 3)]),
        (f"FROM {BASE}\n# memlint ignore=\n{UPGRADE}", [("ML002", 2), ("ML106", 3)]),
        (f"FROM {BASE}\n# memlint disable=ML106\n{UPGRADE}", [("ML002", 2), ("ML106", 3)]),
        (f"FROM {BASE}\n# memlint looks at this\nRUN true\n", []),
        (f"FROM {BASE}\n# see memlint ignore=ML106\n{UPGRADE}", [("ML106", 3)]),
    ],
)
def test_what_is_left(text: str, left: list[tuple[str, int]]) -> None:
    assert found(text) == left


def test_what_is_suppressed_is_counted() -> None:
    files = {"Dockerfile": f"# memlint global ignore=ML106\nFROM {BASE}\n{UPGRADE}{UPGRADE}"}
    findings, suppressed = linter("ML001", "ML106").findings(repository(files), ("Dockerfile",))
    assert (findings, suppressed) == ([], 2)


def test_a_rule_that_does_not_run_is_not_judged() -> None:
    assert lint(f"# memlint global ignore=ML106\nFROM {BASE}\n", "ML001", "ML101") == []


def test_a_comment_of_another_file_suppresses_nothing() -> None:
    files = {"a/Dockerfile": f"# memlint global ignore=ML106\nFROM {BASE}\n", "b/Dockerfile": f"FROM {BASE}\n{UPGRADE}"}
    findings, _ = linter("ML001", "ML106").findings(repository(files), tuple(files))
    assert [(each.rule, each.location.path) for each in findings] == [
        ("ML001", "a/Dockerfile"),
        ("ML106", "b/Dockerfile"),
    ]


def test_a_mistyped_rule_is_asked_for() -> None:
    (finding,) = lint(f"# memlint global ignore=upgrad\nFROM {BASE}\n", "ML002")
    assert finding.suggestion == "did you mean upgrade?"
    assert finding.location.span is not None
    assert (finding.location.span.column, finding.location.span.end_column) == (25, 31)


def test_places_of_the_unused() -> None:
    (finding,) = lint("FROM debian:12\n# memlint ignore=ML101, ML106 # reason\nRUN true\n", "ML001", "ML101", "ML106")
    span = finding.location.span
    assert span is not None
    assert (span.line, span.column, span.end_column) == (2, 18, 30)
    assert finding.evidence == {"rules": "ML101, ML106"}
