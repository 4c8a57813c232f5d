"""Findings → GitLab's code quality report."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from memlint.model.finding import Finding
from memlint.model.lint import FileError, LintReport
from memlint.report.findings.page import Page, legible, position
from memlint.report.json import to_json

_SEVERITIES = {"error": "critical", "warning": "major", "info": "minor", "style": "info"}


def to_gitlab(report: LintReport, page: Page) -> str:  # noqa: ARG001  # paths are those of the repository
    """An array of issues; a file that could not be linted blocks."""
    issues = [*map(_blocker, report.errors), *map(_of_finding, report.findings)]
    return to_json(issues)


def _of_finding(finding: Finding) -> dict[str, Any]:
    line, _ = position(finding.location)
    severity = _SEVERITIES[finding.severity]
    message = legible(finding.message)
    return _issue(message, finding.rule, finding.fingerprint, severity, finding.location.path, line)


def _blocker(error: FileError) -> dict[str, Any]:
    text = f"{error.path}\0{error.message}"
    fingerprint = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return _issue(legible(error.message), "memlint", fingerprint, "blocker", error.path, error.line or 1)


def _issue(text: str, rule: str, fingerprint: str, severity: str, path: str, line: int) -> dict[str, Any]:
    return {
        "description": text,
        "check_name": rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": legible(path), "lines": {"begin": line}},
    }
