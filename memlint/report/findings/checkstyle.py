"""Findings → Checkstyle's XML."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.model.lint import LintReport
from memlint.report.findings.page import Page, position
from memlint.report.findings.xml import HEAD, element

_SEVERITIES = {"error": "error", "warning": "warning", "info": "info", "style": "info"}


def to_checkstyle(report: LintReport, page: Page) -> str:  # noqa: ARG001  # paths are those of the repository
    """A `file` for each file that has findings, or could not be linted."""
    paths = sorted({finding.location.path for finding in report.findings} | {error.path for error in report.errors})
    files = [line for path in paths for line in element("file", {"name": path}, list(_problems(path, report)))]
    return "\n".join([HEAD, *element("checkstyle", {"version": "4.3"}, files), ""])


def _problems(path: str, report: LintReport) -> Iterator[str]:
    for error in report.errors:
        if error.path == path:
            yield from _problem(error.line or 1, 1, "error", f"{error.message}: {error.hint}", "memlint")
    for finding in report.findings:
        if finding.location.path == path:
            line, column = position(finding.location)
            severity = _SEVERITIES[finding.severity]
            yield from _problem(line, column, severity, finding.message, f"memlint.{finding.rule}")


def _problem(line: int, column: int, severity: str, message: str, source: str) -> Iterator[str]:
    return element(
        "error", {"line": line, "column": column, "severity": severity, "message": message, "source": source}
    )
