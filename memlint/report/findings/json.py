"""Findings → JSON, versioned by `schema`; the JSON Schema in `schemas/` is generated from the same types."""

from __future__ import annotations

import msgspec

from memlint.model.lint import LintReport
from memlint.report.findings.page import Page, legible


def to_json(report: LintReport, page: Page) -> str:  # noqa: ARG001  # the page changes nothing
    """Indented JSON with a final newline; equal reports give equal bytes."""
    return msgspec.json.format(msgspec.json.encode(_clean(msgspec.to_builtins(report))), indent=2).decode() + "\n"


def _clean(value: object) -> object:
    """Bytes of a Dockerfile that are no UTF-8 are no JSON either."""
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, dict):
        return {key: _clean(inner) for key, inner in value.items()}
    return [_clean(inner) for inner in value] if isinstance(value, (list, tuple)) else value
