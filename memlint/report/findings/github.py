"""Findings → workflow commands, which GitHub shows at the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.model.dockerfile import Span
from memlint.model.finding import Finding
from memlint.model.lint import LintReport
from memlint.report.findings.page import Page, position, printable, worst_first

_SHOWN = 10
"""Annotations of a kind that GitHub shows per step."""
_KINDS = {"error": "error", "warning": "warning", "info": "notice", "style": "notice"}


def to_github(report: LintReport, page: Page) -> str:  # noqa: ARG001  # paths are those of the repository
    """The worst of each kind as annotations; where there are more, the rest as plain lines of the log, and a total."""
    waiting: dict[str, list[tuple[str, str]]] = {"error": [], "warning": [], "notice": []}
    for error in report.errors:
        place = {"file": error.path, "line": error.line, "title": "memlint"}
        plain = f"error: {printable(f'{error.path}:{error.line or 1}: {error.message}')}"
        waiting["error"].append((_command("error", place, f"{error.message}: {error.hint}"), plain))
    for finding in worst_first(report.findings):
        waiting[_KINDS[finding.severity]].append((_annotation(finding), _plain(finding)))
    return "".join(f"{line}\n" for kind, entries in waiting.items() for line in _lines(kind, entries))


def _lines(kind: str, entries: list[tuple[str, str]]) -> Iterator[str]:
    shown = len(entries) if len(entries) <= _SHOWN else _SHOWN - 1
    yield from (command for command, _ in entries[:shown])
    yield from (plain for _, plain in entries[shown:])
    if rest := len(entries) - shown:
        noun = "notices" if kind == "notice" else f"{kind}s"
        text = f"{len(entries)} {noun} in all: {rest} are in the log of this step, and not shown as annotations"
        yield _command(kind, {"title": "memlint"}, text)


def _annotation(finding: Finding) -> str:
    line, column = position(finding.location)
    span = finding.location.span or Span(1, 1, 1, 1)
    place: dict[str, str | int | None] = {"file": finding.location.path, "line": line, "endLine": span.end_line}
    place["col"] = column
    if span.end_line == line:
        place["endColumn"] = span.end_column
    place["title"] = f"{finding.rule} {finding.name}"
    text = finding.message if finding.suggestion is None else f"{finding.message}\n{finding.suggestion}"
    return _command(_KINDS[finding.severity], place, text)


def _plain(finding: Finding) -> str:
    """It begins with a word of ours: a path could begin like a command."""
    line, column = position(finding.location)
    text = f"{finding.location.path}:{line}:{column}: {finding.rule} {finding.message}"
    return f"{finding.severity}: {printable(text)}"


def _command(kind: str, properties: dict[str, str | int | None], text: str) -> str:
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None)
    return f"::{kind} {given}::{_data(text)}"


def _data(text: str) -> str:
    """Its lines, with nothing that could steer the terminal which shows the log."""
    text = "\n".join(map(printable, text.split("\n")))
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
