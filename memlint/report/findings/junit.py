"""Findings → JUnit's XML, which most CI systems can show."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.model.finding import Finding
from memlint.model.lint import FileError, LintReport
from memlint.report.findings.page import Page, position
from memlint.report.findings.xml import HEAD, element


def to_junit(report: LintReport, page: Page) -> str:  # noqa: ARG001  # paths are those of the repository
    """A test suite per file: each finding fails, a file without any passes."""
    paths = sorted({*report.files, *(error.path for error in report.errors)})
    suites = [line for path in paths for line in _suite(path, report)]
    totals: dict[str, str | int] = {
        "name": "memlint",
        "tests": len(report.findings) + len(report.errors) + len(set(paths) - _spoken_of(report)),
        "failures": len(report.findings),
        "errors": len(report.errors),
    }
    return "\n".join([HEAD, *element("testsuites", totals, suites), ""])


def _spoken_of(report: LintReport) -> set[str]:
    return {finding.location.path for finding in report.findings} | {error.path for error in report.errors}


def _suite(path: str, report: LintReport) -> Iterator[str]:
    findings = [finding for finding in report.findings if finding.location.path == path]
    errors = [error for error in report.errors if error.path == path]
    cases = [line for error in errors for line in _error(error)]
    cases += [line for finding in findings for line in _failure(finding)]
    if not cases:
        cases = list(element("testcase", {"name": "no findings", "classname": path}))
    counts: dict[str, str | int] = {
        "name": path,
        "tests": max(len(findings) + len(errors), 1),
        "failures": len(findings),
        "errors": len(errors),
    }
    return element("testsuite", counts, cases)


def _failure(finding: Finding) -> Iterator[str]:
    line, column = position(finding.location)
    where = f"{finding.location.path}:{line}:{column}"
    details = [where, finding.message, *([finding.suggestion] if finding.suggestion else [])]
    attributes: dict[str, str | int] = {"message": finding.message, "type": finding.severity}
    inside = element("failure", attributes, "\n".join(details))
    name = f"{finding.rule} {finding.name}, line {line}"
    return element("testcase", {"name": name, "classname": finding.location.path}, inside)


def _error(error: FileError) -> Iterator[str]:
    inside = element("error", {"message": error.message, "type": "unreadable"}, error.hint)
    return element("testcase", {"name": "can be linted", "classname": error.path}, inside)
