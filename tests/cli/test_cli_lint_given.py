"""A hook passes the files that somebody changed: what these have in common with others is told of at them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.command import Memlint
from support.linting import RULES, write

GROUPS = ("ML302", "ML304", "ML307", "ML309", "ML310", "ML311")
"""The rules that tell of several files at one of them."""
FILE = "# file: "


def example(rule: str) -> dict[str, str]:
    """The Dockerfiles of a rule's bad example."""
    bad = next(each for each in RULES if each.id == rule).bad
    parts = (part.partition("\n") for part in bad.split(FILE)[1:])
    return {path.strip(): text for path, _, text in parts}


def found(command: Memlint, rule: str, *arguments: str) -> list[dict[str, Any]]:
    done = command.run("lint", "--select", rule, "-f", "json", *arguments)
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return findings


@pytest.fixture(params=GROUPS)
def pair(request: pytest.FixtureRequest, command: Memlint) -> tuple[Memlint, str, dict[str, Any], str]:
    """A repository, a rule, what it finds in the whole, and a file that is part of that and comes later."""
    files = example(request.param)
    if request.param in ("ML302", "ML309"):  # more than one of the rarer kind
        files |= {f"more/{path}": text for path, text in files.items()}
    write(command.home, files, git=True)
    (finding,) = found(command, request.param)
    return command, request.param, finding, finding["related"][-1]["location"]["path"]


def test_a_finding_is_told_of_at_the_given_file(pair: tuple[Memlint, str, dict[str, Any], str]) -> None:
    command, rule, whole, later = pair
    (finding,) = found(command, rule, later)
    assert finding["location"]["path"] == later
    assert (finding["anchor"], finding["fingerprint"]) == (whole["location"], whole["fingerprint"])
    assert whole["location"]["path"] in [each["location"]["path"] for each in finding["related"]]
    assert finding["evidence"].get("count") == whole["evidence"].get("count")


def test_of_two_given_files_one_tells(pair: tuple[Memlint, str, dict[str, Any], str]) -> None:
    command, rule, whole, later = pair
    assert found(command, rule, later, whole["location"]["path"]) == [whole]


def test_a_file_that_takes_no_part_is_left_alone(pair: tuple[Memlint, str, dict[str, Any], str]) -> None:
    command, rule, _, _ = pair
    write(command.home, {"else/Dockerfile": "FROM scratch\nCOPY else /else\n"})
    assert found(command, rule, "else/Dockerfile") == []


def test_the_baseline_of_the_whole_knows_it(pair: tuple[Memlint, str, dict[str, Any], str]) -> None:
    command, rule, _, later = pair
    command.run("lint", "--select", rule, "--write-baseline", "known.json")
    assert found(command, rule, "--baseline", "known.json", later) == []


def test_a_comment_where_the_whole_tells_of_it_counts(pair: tuple[Memlint, str, dict[str, Any], str]) -> None:
    command, rule, whole, later = pair
    path = command.home / whole["location"]["path"]
    lines = path.read_text("utf-8").splitlines(keepends=True)
    lines.insert(whole["location"]["span"]["line"] - 1, f"# memlint ignore={rule} # known\n")
    path.write_text("".join(lines), "utf-8")
    assert found(command, f"{rule},ML001", later) == []
    assert found(command, f"{rule},ML001") == []
