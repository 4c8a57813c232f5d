"""Findings → JSON, versioned by `schema`; the JSON Schema in `schemas/` is generated from the same types."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.model.lint import LintReport
from memlint.report.findings.page import Page, legible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.model.finding import Finding

_EMPTY = '"findings": []'


def to_json(report: LintReport, page: Page) -> Iterator[str]:  # noqa: ARG001  # the page changes nothing
    """Indented JSON with a final newline; equal reports give equal bytes.

    Finding by finding: the whole text of a large repository, several times over, would be most of the memory in use.
    """
    around = _indented(msgspec.structs.replace(report, findings=()))
    before, empty, after = around.partition(_EMPTY) if report.findings else (around, "", "")
    yield before
    for number, finding in enumerate(report.findings):
        yield empty.removesuffix("]") if number == 0 else ","
        yield "\n    " + _indented(finding).replace("\n", "\n    ")
    if report.findings:
        yield "\n  ]"
    yield f"{after}\n"


def _indented(value: LintReport | Finding) -> str:
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:
        text = msgspec.json.encode(_clean(msgspec.to_builtins(value)))
    return msgspec.json.format(text, indent=2).decode()


def _clean(value: object) -> object:
    """Bytes of a Dockerfile that are no UTF-8 are no JSON either."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, (list, tuple)) else value
