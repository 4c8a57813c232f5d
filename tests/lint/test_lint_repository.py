"""What checks may look at, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.linting import linter, repository, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path, {"repo/api/requirements.txt": "a==1\n", "repo/blob": b"\0\1", "secret": "x"})
    (tmp_path / "repo" / "out").symlink_to("../secret")
    (tmp_path / "repo" / "in").symlink_to("api/requirements.txt")
    (tmp_path / "repo" / "large").write_bytes(b"x" * (4 * 2**20 + 1))
    os.mkfifo(tmp_path / "repo" / "fifo")
    return tmp_path / "repo"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("api/requirements.txt", "a==1\n"),
        ("./api/../api/requirements.txt", "a==1\n"),
        ("in", "a==1\n"),
        ("absent", None),
        ("api", None),
        (".", None),
        ("blob", None),
        ("large", None),
        ("fifo", None),
        ("out", None),
        ("../secret", None),
        ("/etc/passwd", None),
        ("a\0b", None),
        ("x" * 5000, None),
    ],
)
def test_reading(root: Path, path: str, text: str | None) -> None:
    assert repository({}, str(root)).read(path) == text


def test_a_file_is_read_once(root: Path) -> None:
    files = repository({}, str(root))
    assert files.read("api/requirements.txt") == "a==1\n"
    (root / "api/requirements.txt").write_text("b==2\n")
    assert files.read("api/requirements.txt") == "a==1\n"


def test_facts_are_worked_out_once() -> None:
    files = repository({"Dockerfile": "FROM a\n"})
    (dockerfile,) = files.dockerfiles
    assert files.facts(dockerfile) is files.facts(dockerfile)


def test_another_text_of_one_file() -> None:
    files = repository({"a": "FROM a\n", "b": "FROM b\n"})
    kept, lines = files.built("a"), files.lines("b")
    changed = files.with_content("b", b"FROM c\n")
    assert changed.built("a") is kept
    assert (lines, changed.lines("b"), changed.lines("a")) == (["FROM b", ""], ["FROM c", ""], ["FROM a", ""])
    assert [each.stages[0].base for each in files.dockerfiles] == ["a", "b"]
    assert [each.stages[0].base for each in changed.dockerfiles] == ["a", "c"]


def test_lines_are_those_that_people_count() -> None:
    files = repository({"a": "\ufeffFROM a\r\nRUN b\x0bc\n"})
    assert files.lines("a") == ["FROM a", "RUN b\x0bc", ""]
    assert files.lines("absent") == []


def test_findings_are_ordered_and_told_of_targets_alone() -> None:
    text = "FROM debian\nRUN apt-get upgrade -y\n"
    files = repository({"b/Dockerfile": text, "a/Dockerfile": text, "c/Dockerfile": text})
    findings, _ = linter("ML101", "ML106").findings(files, ("a/Dockerfile", "b/Dockerfile"))
    assert [(each.location.path, each.rule) for each in findings] == [
        ("a/Dockerfile", "ML101"),
        ("a/Dockerfile", "ML106"),
        ("b/Dockerfile", "ML101"),
        ("b/Dockerfile", "ML106"),
    ]


def test_a_rule_of_the_repository_compares_with_files_it_does_not_tell_of() -> None:
    files = repository({"a/Dockerfile": "FROM debian:12\n", "b/Dockerfile": "FROM debian:11\n"})
    for path in ("a/Dockerfile", "b/Dockerfile"):
        findings, _ = linter("ML301").findings(files, (path,))
        assert {finding.location.path for finding in findings} <= {path}
    both, _ = linter("ML301").findings(files, ("a/Dockerfile", "b/Dockerfile"))
    assert both
    alone = repository({"a/Dockerfile": "FROM debian:12\n"})
    assert linter("ML301").findings(alone, ("a/Dockerfile",)) == ([], 0)
