"""Comments that suppress: what they cover, and what is said about those that suppress nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.effort import effort
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
        (f"FROM {BASE}\nRUN <<EOF\n# memlint ignore=ML106\napt-get upgrade -y\nEOF\n", [("ML002", 3), ("ML106", 4)]),
        (f"FROM {BASE}\nRUN bash -e <<EOF\n# memlint ignore=ML106\nEOF\n", [("ML002", 3)]),
        (f"FROM {BASE}\nRUN cat <<EOF >Dockerfile\n# memlint ignore=ML106\nEOF\n", []),
        (f"FROM {BASE}\nCOPY <<EOF /Dockerfile\n# memlint ignore=ML106\nEOF\n", []),
        (f"FROM {BASE}\nRUN apt-get upgrade -y # memlint ignore=ML106\n", [("ML106", 2), ("ML002", 2)]),
        (f"FROM {BASE}\r\nRUN true # memlint ignore=ML106 # reason\r\n", [("ML002", 2)]),
        (f"FROM {BASE}\nRUN true \\\n && true # memlint ignore=ML106 \\\n && true\n", [("ML002", 3)]),
        (f"# escape=`\nFROM {BASE}\nRUN true # memlint global ignore=upgrade `\n && true\n", [("ML002", 3)]),
        (f"FROM {BASE}\nCOPY a b # memlint ignore=ML106\n", [("ML002", 2)]),
        (f"FROM {BASE}\n# memlint ignore=ML002\nRUN true # memlint ignore=ML106\n", []),
        (f"FROM {BASE}\nRUN echo '# memlint ignore=ML106' >Dockerfile\n", []),
        (f"FROM {BASE}\nRUN echo x#memlint ignore=ML106\n", []),
        (f"FROM {BASE}\nRUN true # see memlint ignore=ML106\n", []),
        (f"FROM {BASE}\n# memlint ignore=ML1\n{UPGRADE}", [("ML002", 2), ("ML106", 3)]),
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


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("upgrad", "did you mean upgrade?"),
        ("ML1066", "did you mean ML106?"),
        ("ML999", "memlint rules lists all of them"),
        ("ML1", "name each rule: what stands for several does so in select and ignore, not in comments"),
        ("ml10", "name each rule: what stands for several does so in select and ignore, not in comments"),
        ("ALL", "name each rule: what stands for several does so in select and ignore, not in comments"),
        ("ML", "memlint rules lists all of them"),
    ],
)
def test_what_is_said_of_a_rule_that_does_not_exist(name: str, suggestion: str) -> None:
    (finding,) = lint(f"# memlint global ignore={name}\nFROM {BASE}\n", "ML002")
    assert finding.suggestion == suggestion
    assert finding.location.span is not None
    assert (finding.location.span.column, finding.location.span.end_column) == (25, 25 + len(name))


def test_the_place_of_what_is_no_comment_of_the_dockerfile() -> None:
    (finding,) = lint(f"FROM {BASE}\nRUN <<-EOF\n\ttrue # memlint ignore=ML106 # why\nEOF\n", "ML002")
    assert finding.message == "this comment suppresses nothing, for it is a part of the instruction"
    assert finding.suggestion == "put it on a line of its own, above the instruction"
    span = finding.location.span
    assert span is not None
    assert (span.line, span.column, span.end_line, span.end_column) == (3, 7, 3, 35)


def test_places_of_the_unused() -> None:
    (finding,) = lint("FROM debian:12\n# memlint ignore=ML101, ML106 # reason\nRUN true\n", "ML001", "ML101", "ML106")
    span = finding.location.span
    assert span is not None
    assert (span.line, span.column, span.end_column) == (2, 18, 30)
    assert finding.evidence == {"rules": "ML101, ML106"}


@pytest.mark.parametrize(
    "text",
    [
        "# memlint ignore=ML106\n# syntax=docker/dockerfile:1-labs\nFROM debian:12\n",
        "# syntax=docker/dockerfile:1\n# memlint ignore=ML106\n# escape=`\nFROM debian:12\n",
        "# escape=`\n# memlint ignore=ML106\n# escape=`\nFROM debian:12\n",
    ],
)
def test_a_comment_that_keeps_a_line_from_being_a_directive_is_not_removed(text: str) -> None:
    (finding,) = lint(text, "ML001", "ML106")
    assert finding.fix is None
    with_two = text.replace("ML106", "ML106,ML002")
    (finding,) = lint(with_two, "ML001", "ML106")
    assert finding.fix is not None
    assert finding.fix.description == "remove ML106"


@pytest.mark.parametrize("line", ["# check=skip=all", "# other\n# escape=`", "#", "# memlint ignore=ML101"])
def test_other_comments_above_what_looks_like_a_directive_are_removed(line: str) -> None:
    text = f"FROM debian:12\n# memlint ignore=ML106\n{line}\n"
    if line != "# check=skip=all":
        text = f"# memlint ignore=ML106\n{line}\nFROM debian:12\n"
    finding = lint(text, "ML001", "ML106")[0]
    assert finding.fix is not None


COMMENT = "# memlint ignore=ML106\n"


@pytest.mark.parametrize(
    "text",
    [
        lambda count: f"FROM {BASE}\n" + COMMENT * count,
        lambda count: f"FROM {BASE}\n" + (COMMENT + UPGRADE) * count,
        lambda count: f"FROM {BASE}\n" + COMMENT * count + UPGRADE * count,
        lambda count: f"FROM {BASE}\n" + "# memlint global ignore=ML106\n" * count + UPGRADE * count,
        lambda count: f"FROM {BASE}\n# memlint ignore={','.join(['ML106'] * count)}\nRUN true\n",
        lambda count: f"FROM {BASE}\n" + "# memlint ignore=ML1\n" * count,
        lambda count: f"FROM {BASE}\n" + "# memlint: ignore=ML106\n" * count,
        lambda count: f"FROM {BASE}\n" + "RUN true # memlint ignore=ML106\n" * count,
    ],
)
def test_twice_the_comments_take_twice_the_effort(text: Callable[[int], str]) -> None:
    once, twice = (
        effort(linter("ML001", "ML002", "ML106").findings, repository({"Dockerfile": text(count)}), ("Dockerfile",))
        for count in (100, 200)
    )
    assert twice < 2.2 * once
