"""Findings → Markdown for a comment on a pull request, or for a job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memlint.model.finding import Finding
from memlint.model.lint import LintReport
from memlint.model.units import plural
from memlint.report.findings.page import Page, count_severities, position, printable, worst_first

_ROOM = 60_000
"""Characters; GitHub refuses comments of more than 65 536."""
_SIGNS = {"error": "🔴", "warning": "🟠", "info": "🔵", "style": "⚪"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&])")


def to_markdown(report: LintReport, page: Page) -> str:
    """A table, the worst first, and the rules that it names; what there is no room for is counted."""
    files = plural(len(report.files), "Dockerfile")
    number = plural(len(report.findings), "finding")
    counted = f" ({count_severities(report.findings)})" if report.findings else ""
    head = [f"### memlint: {number}{counted} in {files}", ""]
    for error in report.errors:
        where = f"{error.path}:{error.line}" if error.line else error.path
        head.append(f"- ❗ {inline_code(where)} could not be linted: {plain(error.message)}")
    if report.errors:
        head.append("")
    tail = ["", *_rules(report, page)] if report.findings else []
    rows = _fitting(report, _ROOM - sum(len(line) + 1 for line in (*head, *tail)))
    return "\n".join([*head, *rows, *tail, ""]).rstrip("\n") + "\n"


def _fitting(report: LintReport, room: int) -> list[str]:
    if not report.findings:
        return []
    rows = ["| | where | rule | what |", "|---|---|---|---|"]
    findings = worst_first(report.findings)
    for number, finding in enumerate(findings):
        row = _row(finding)
        room -= len(row) + 1
        if room < 0:
            return [*rows, "", f"… and {len(findings) - number} more, which there is no room for."]
        rows.append(row)
    return rows


def _row(finding: Finding) -> str:
    line, _ = position(finding.location)
    what = plain(finding.message)
    for related in finding.related[:3]:
        there, _ = position(related.location)
        what += f"<br>see {inline_code(f'{related.location.path}:{there}')}: {plain(related.message)}"
    if finding.suggestion:
        what += "<br>" + "<br>".join(plain(part) for part in finding.suggestion.rstrip().split("\n"))
    sign = f"{_SIGNS[finding.severity]} {finding.severity}"
    return f"| {sign} | {inline_code(f'{finding.location.path}:{line}')} | {finding.rule} | {what} |"


def _rules(report: LintReport, page: Page) -> Iterator[str]:
    found = {finding.rule for finding in report.findings}
    yield "<details><summary>The rules</summary>"
    yield ""
    for rule in page.rules:
        if rule.id in found:
            yield f"- **{rule.id}** {rule.name}: {plain(rule.title)}. {plain(' '.join(rule.fix.split()))}"
    yield ""
    yield "</details>"


def plain(text: str) -> str:
    """Nothing in it is markup, and nobody is called by it."""
    return _SPECIAL.sub(r"\\\1", printable(text)).replace("@", "&#64;")


def inline_code(text: str) -> str:
    """Inline code that a table can hold, whatever is in it."""
    shown = printable(text).replace("`", "'").replace("|", "\\|")
    return f"`{shown}`"
