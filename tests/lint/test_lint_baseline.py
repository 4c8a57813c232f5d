"""The baseline, and the names of findings that it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.linting import lint, linter, repository

from memlint.errors import UsageError
from memlint.lint.baseline import read_baseline, to_baseline, without_known

UPGRADE = "RUN apt-get upgrade -y\n"


def names(text: str, path: str = "Dockerfile") -> list[str]:
    return [finding.fingerprint for finding in lint(text, "ML106", path=path)]


def test_a_name_stays_when_lines_move() -> None:
    assert names(f"FROM debian:12\n{UPGRADE}") == names(f"# more\n\nFROM debian:12\nRUN true\n{UPGRADE}")


def test_a_name_stays_when_blanks_change() -> None:
    assert names(f"FROM debian:12\n{UPGRADE}") == names("FROM debian:12\n  RUN  apt-get  upgrade   -y\r\n")


def test_equal_lines_have_names_of_their_own() -> None:
    first, second = names(f"FROM debian:12\n{UPGRADE}RUN true\n{UPGRADE}")
    assert first != second
    assert names(f"FROM debian:12\n{UPGRADE}") == [first]


@pytest.mark.parametrize(
    ("text", "path"), [("FROM debian:12\nRUN apt-get upgrade\n", "Dockerfile"), (f"FROM debian:12\n{UPGRADE}", "b")]
)
def test_what_makes_another_name(text: str, path: str) -> None:
    assert names(text, path) != names(f"FROM debian:12\n{UPGRADE}")


def test_rules_have_names_of_their_own() -> None:
    found = lint("FROM debian\n", "ML101", "ML102")
    assert len({finding.fingerprint for finding in found}) == len(found)


def test_a_byte_that_is_no_utf_8_is_no_trouble() -> None:
    (finding,) = lint(b"FROM debian:12\nRUN apt-get upgrade -y # \xff\n", "ML106")
    assert len(finding.fingerprint) == 32


def test_round_trip(tmp_path: Path) -> None:
    found = lint(f"FROM debian\n{UPGRADE}{UPGRADE}", "ML101", "ML106")
    path = tmp_path / "baseline.json"
    path.write_text(to_baseline(found))
    assert without_known(found, read_baseline(str(path))) == ([], 0)
    assert without_known(found[:1], read_baseline(str(path))) == ([], 2)
    new = lint(f"FROM debian\n{UPGRADE}{UPGRADE}{UPGRADE}", "ML101", "ML106")
    assert without_known(new, read_baseline(str(path))) == ([new[-1]], 0)


def test_the_file_reads_well() -> None:
    files = {"a/Dockerfile": "FROM debian\n", "b/Dockerfile": "FROM debian\n"}
    found, _ = linter("ML101").findings(repository(files), tuple(files))
    text = to_baseline(found)
    document = json.loads(text)
    assert document["schema"] == "memlint.baseline/1"
    assert [entry["path"] for entry in document["findings"]] == ["a/Dockerfile", "b/Dockerfile"]
    assert set(document["findings"][0]) == {"fingerprint", "rule", "path", "message"}
    assert text.count("\n") == 7
    assert json.loads(to_baseline([])) == {"schema": "memlint.baseline/1", "findings": []}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"schema": "memlint.baseline/2", "findings": []}',
        b'{"schema": "memlint.baseline/1"}',
        b'{"schema": "memlint.baseline/1", "findings": [{}]}',
        b'{"schema": "memlint.baseline/1", "findings": [1]}',
        b'{"schema": "memlint.baseline/1", "findings": 1}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_baseline(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"baseline\.json: is no baseline"):
        read_baseline(str(path))


def test_a_missing_baseline_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.json: cannot be read"):
        read_baseline(str(tmp_path / "absent.json"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_baseline(str(tmp_path))
