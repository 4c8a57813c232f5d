"""Findings → SARIF 2.1.0, as code scanning services take it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from memlint import __version__
from memlint.lint.ruleset import Rule
from memlint.model.dockerfile import Span
from memlint.model.finding import Finding, Fix, Location
from memlint.model.lint import FileError, LintReport
from memlint.report.findings.page import Page, legible, worst_first
from memlint.report.json import to_json

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_MOST = 25_000
"""GitHub takes no more results of a run."""
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "style": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "info": "recommendation", "style": "recommendation"}


def to_sarif(report: LintReport, page: Page) -> str:
    """One run; where there are too many results, the worst ones."""
    findings = report.findings
    if len(findings) > _MOST:
        worst = {id(finding) for finding in worst_first(findings)[:_MOST]}
        findings = tuple(finding for finding in findings if id(finding) in worst)
    numbers = {rule.id: number for number, rule in enumerate(page.rules)}
    run = {
        "tool": {
            "driver": {
                "name": "memlint",
                "semanticVersion": __version__,
                "rules": [_rule(rule) for rule in page.rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "the root of the repository"}}},
        "invocations": [
            {
                "executionSuccessful": not report.errors,
                "toolExecutionNotifications": [_notification(error) for error in report.errors],
            }
        ],
        "results": [_result(finding, numbers[finding.rule]) for finding in findings],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return to_json(document)


def _rule(rule: Rule) -> dict[str, Any]:
    paragraphs = [rule.rationale.strip(), rule.fix.strip()]
    markdown = [*paragraphs, f"```dockerfile\n{rule.bad.strip()}\n```", "Better:"]
    markdown.append(f"```dockerfile\n{rule.good.strip()}\n```")
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": " ".join(rule.rationale.split())},
        "help": {"text": "\n\n".join(paragraphs), "markdown": "\n\n".join(markdown)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"problem.severity": _PROBLEMS[rule.severity], "tags": ["containers", "memory", rule.name]},
    }


def _result(finding: Finding, number: int) -> dict[str, Any]:
    text = finding.message if finding.suggestion is None else f"{finding.message}\n{finding.suggestion}"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {"text": legible(text)},
        "locations": [_location(finding.location)],
        "partialFingerprints": {"memlintFingerprint/v1": finding.fingerprint},
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": each, **_location(related.location), "message": {"text": legible(related.message)}}
            for each, related in enumerate(finding.related, 1)
        ]
    if finding.fix is not None:
        result["fixes"] = [_fix(finding.location.path, finding.fix)]
    return result


def _location(location: Location) -> dict[str, Any]:
    physical = {"artifactLocation": _artifact(location.path), "region": _region(location.span or Span(1, 1, 1, 1))}
    return {"physicalLocation": physical}


def _artifact(path: str) -> dict[str, str]:
    uri = quote(path.encode("utf-8", "surrogateescape"))
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(path: str, fix: Fix) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": legible(edit.text)}} for edit in fix.edits
    ]
    changes = [{"artifactLocation": _artifact(path), "replacements": replacements}]
    return {"description": {"text": legible(fix.description)}, "artifactChanges": changes}


def _notification(error: FileError) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(error.path)}
    if error.line is not None:
        physical["region"] = {"startLine": error.line}
    return {
        "level": "error",
        "message": {"text": legible(f"{error.message}: {error.hint}")},
        "locations": [{"physicalLocation": physical}],
    }
