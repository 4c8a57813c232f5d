"""Every format, against its schema, on reports that hold what a stranger's file may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from support.linting import RULES, repository

import memlint
from memlint.config import FORMATS
from memlint.lint.linting import count_by_rule
from memlint.model.dockerfile import Span
from memlint.model.finding import SEVERITIES, Edit, Finding, Fix, Location, Related, Severity
from memlint.model.lint import SCHEMA, FileError, LintReport
from memlint.report.findings import render
from memlint.report.findings.page import Page
from memlint.report.terminal import Terminal

SCHEMAS = Path(__file__).parent / "schemas"
LINT_SCHEMA = Path(memlint.__file__).parent / "report" / "schemas" / "lint-1.schema.json"
FILES = {"web/Dockerfile": "FROM debian\nRUN apt-get upgrade\n", "api/Dockerfile": "FROM alpine\n"}
NASTY = "a|b `c` <d> &e; \"f\" 'g' *h* _i_ [j](k) @team #1 %0A ::error:: ]]> \x1b[2J \x00 \udcff \ufffe 🐳 é\nsecond"


def finding(
    severity: Severity = "warning", path: str = "web/Dockerfile", text: str = "it is so", number: int = 0, **more: Any
) -> Finding:
    values: dict[str, Any] = {
        "rule": "ML106",
        "name": "upgrade",
        "severity": severity,
        "message": text,
        "location": Location(path, Span(2, 5, 2, 20)),
        "related": (Related(Location("api/Dockerfile", Span(1, 6, 1, 12)), text), Related(Location(path), "there")),
        "evidence": {"what": text, "count": 3},
        "suggestion": f"{text}\nFROM better",
        "fix": Fix((Edit(Span(2, 1, 3, 1), "RUN true\n"),), False, "remove it"),
        "fingerprint": f"{number:032x}",
    }
    return Finding(**{**values, **more})


def report(findings: Sequence[Finding], errors: Sequence[FileError] = ()) -> LintReport:
    files = sorted({*FILES, *(each.location.path for each in findings)})
    return LintReport(SCHEMA, tuple(files), tuple(findings), tuple(errors), count_by_rule(findings))


EMPTY = report(())
PLAIN = report([finding(severity, number=number) for number, severity in enumerate(SEVERITIES)])
WORST = report(
    [
        finding(text=NASTY, number=1),
        finding("error", path=f"a b/{NASTY}", number=2),
        finding("info", path="/outside/Dockerfile", number=3),
        finding("style", location=Location("api/Dockerfile"), related=(), suggestion=None, fix=None, number=4),
        finding(location=Location("web/Dockerfile", Span(1, 1, 2, 9)), number=5),
    ],
    [FileError("bad/Dockerfile", 3, NASTY, NASTY), FileError("worse", None, "is a directory", "name a file")],
)
REPORTS = {"empty": EMPTY, "plain": PLAIN, "worst": WORST}


def page(width: int = 100, *, color: bool = False, unsafe: bool = False) -> Page:
    return Page(repository(FILES, "/repo"), RULES, Terminal(width, color), unsafe=unsafe)


def written(name: str, made: LintReport) -> str:
    return "".join(render(name, made, page()))


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text("utf-8"))


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_utf_8_and_ends_its_last_line(name: str, made: LintReport) -> None:
    text = written(name, made)
    text.encode("utf-8")
    assert text.endswith("\n") or (name == "github" and made is EMPTY)
    assert text == written(name, made)
    for one in made.findings:
        assert one.rule in text


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_json(made: LintReport) -> None:
    document = json.loads(written("json", made))
    jsonschema.Draft202012Validator(json.loads(LINT_SCHEMA.read_text("utf-8"))).validate(document)
    assert document["schema"] == "memlint.lint/1"
    assert len(document["findings"]) == len(made.findings)
    if made is PLAIN:
        assert msgspec.convert(document, LintReport) == made


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_sarif(made: LintReport) -> None:
    document = json.loads(written("sarif", made))
    jsonschema.Draft7Validator(schema("sarif-2.1.0.schema.json")).validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [each.rule for each in made.findings]
    assert run["invocations"][0]["executionSuccessful"] is not bool(made.errors)
    for result, one in zip(run["results"], made.findings, strict=True):
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]
        path = unquote(place["uri"], errors="surrogateescape")
        assert path == one.location.path or path == f"file://{one.location.path}"
        assert ("uriBaseId" in place) == (not one.location.path.startswith("/"))
        assert result["level"] == {"info": "note", "style": "note"}.get(one.severity, one.severity)
    assert len({str(result["partialFingerprints"]) for result in run["results"]}) == len(made.findings)


def test_the_sarif_schema_can_refuse() -> None:
    document = json.loads(written("sarif", PLAIN))
    result = document["runs"][0]["results"][0]
    for key, value in (("level", "info"), ("locations", []), ("unknown", 1), ("ruleIndex", "1")):
        changed = json.loads(json.dumps(document))
        changed["runs"][0]["results"][0] = {**result, key: value}
        assert not jsonschema.Draft7Validator(schema("sarif-2.1.0.schema.json")).is_valid(changed)


def test_sarif_holds_the_worst_of_too_many() -> None:
    many = [finding("style", number=number) for number in range(25_000)]
    many += [finding("error", number=number) for number in range(25_000, 25_010)]
    results = json.loads(written("sarif", report(many)))["runs"][0]["results"]
    assert len(results) == 25_000
    assert [result["level"] for result in results[-10:]] == ["error"] * 10


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_gitlab(made: LintReport) -> None:
    document = json.loads(written("gitlab", made))
    jsonschema.Draft7Validator(schema("gitlab-code-quality.schema.json")).validate(document)
    assert len({issue["fingerprint"] for issue in document}) == len(made.findings) + len(made.errors)


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_junit(made: LintReport) -> None:
    root = etree.fromstring(written("junit", made).encode())
    etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd")).assertValid(root)
    assert len(root.findall(".//failure")) == len(made.findings) == int(root.get("failures") or 0)
    assert len(root.findall(".//error")) == len(made.errors) == int(root.get("errors") or 0)
    assert len(root.findall(".//testcase")) == int(root.get("tests") or 0)
    for suite in root.findall("testsuite"):
        assert len(suite.findall(".//failure")) == int(suite.get("failures") or 0)
        assert len(suite.findall("testcase")) == int(suite.get("tests") or 0)


@pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS)
def test_checkstyle(made: LintReport) -> None:
    root = etree.fromstring(written("checkstyle", made).encode())
    etree.XMLSchema(etree.parse(SCHEMAS / "checkstyle.xsd")).assertValid(root)
    assert len(root.findall(".//error")) == len(made.findings) + len(made.errors)
    messages = [error.get("message") for error in root.findall(".//error")]
    if made is PLAIN:
        assert messages == ["it is so"] * 4


COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)\Z")


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands as the runner reads them, unescaped."""
    found = []
    for line in text.splitlines():
        if match := COMMAND.match(line):
            pairs = [part.split("=", 1) for part in match[2].split(",")]
            found.append((match[1], {key: unescaped(value) for key, value in pairs}, unescaped(match[3])))
    return found


def unescaped(text: str) -> str:
    for escape, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escape, char)
    return text


def test_github() -> None:
    found = commands(written("github", PLAIN))
    assert [kind for kind, _, _ in found] == ["error", "warning", "notice", "notice"]
    _, place, text = found[0]
    assert (
        " ".join(f"{key} {value}" for key, value in place.items())
        == "file web/Dockerfile line 2 endLine 2 col 5 endColumn 20 title ML106 upgrade"
    )
    assert text == "it is so\nit is so\nFROM better"


def test_github_escapes() -> None:
    text = written("github", WORST)
    assert len(text.splitlines()) == len(commands(text)) == 7
    assert any("%0A ::error::" in message for _, _, message in commands(text))


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (11, 9), (35, 9)])
def test_github_shows_ten_of_a_kind(count: int, shown: int) -> None:
    many = [finding("warning", number=number) for number in range(count)] + [finding("error", number=999)]
    text = written("github", report(many))
    found = commands(text)
    assert [kind for kind, _, _ in found].count("warning") == 10
    assert [place["title"] for kind, place, _ in found if kind == "warning"].count("ML106 upgrade") == shown
    assert found[0][0] == "error"
    assert text.count("it is so\n") == count - shown
    if count > 10:
        assert found[-1][2].startswith(f"{count} warnings in all: {count - shown} are in the log")


def test_markdown() -> None:
    text = written("markdown", WORST)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "ML106" in line]
    assert len(rows) == 5
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 5
    outside = re.sub(r"`[^`]*`", "", text)  # nobody is called from inside code
    assert "@team" not in outside
    assert "<d>" not in outside.replace(r"\<d\>", "")
    assert rows[0].startswith("| 🔴 error")
    assert written("markdown", EMPTY) == "### memlint: 0 findings in 2 Dockerfiles\n"


def test_markdown_fits_into_a_comment() -> None:
    text = written("markdown", report([finding(text="x" * 200, number=number) for number in range(2000)]))
    assert len(text) < 65_536
    shown = sum(line.startswith("| 🟠") for line in text.splitlines())
    assert f"and {2000 - shown} more" in text


@pytest.mark.parametrize("width", [40, 72, 120])
def test_text_is_as_wide_as_the_terminal(width: int) -> None:
    text = "".join(render("text", WORST, page(width)))
    assert max(len(line) + line.count("🐳") for line in text.splitlines()) <= width
    assert not [char for char in text.replace("\n", "") if not char.isprintable()]


@pytest.mark.parametrize(
    ("fix", "unsafe", "marked", "said"),
    [
        (Fix((), True, "mend it"), False, True, "1 fixable with --fix [*]"),
        (Fix((), True, "mend it"), True, True, "1 fixable with --fix --unsafe-fixes [*]"),
        (Fix((), False, "mend it"), False, False, "1 with --fix --unsafe-fixes"),
        (Fix((), False, "mend it"), True, True, "1 fixable with --fix --unsafe-fixes [*]"),
        (None, True, False, ""),
    ],
)
def test_text_says_what_can_be_fixed(fix: Fix | None, unsafe: bool, marked: bool, said: str) -> None:
    text = "".join(render("text", report([finding(fix=fix)]), page(unsafe=unsafe)))
    assert ("ML106]: [*] it is so" in text) == marked
    assert said in text


def test_text_says_what_was_left_out() -> None:
    made = msgspec.structs.replace(WORST, suppressed=2, known=3, stale=1, fixed=PLAIN.statistics)
    text = "".join(render("text", made, page()))
    assert "2 suppressed by comments; 3 known to the baseline; 1 entry of the baseline found no more" in text
    assert "2 files could not be read" in text.replace("\n", " ")
    assert "Fixed 4 findings: ML106 × 4." in text


@given(st.text(), st.text(), st.sampled_from(FORMATS))
def test_no_text_breaks_a_format(text: str, path: str, name: str) -> None:
    made = report([finding(text=text, path=path)], [FileError(path, 1, text, text)])
    output = written(name, made)
    if name in ("json", "sarif", "gitlab"):
        json.loads(output)
    elif name in ("junit", "checkstyle"):
        etree.fromstring(output.encode())
