"""What linting found → what people and programs read: one file each, with one function of the format's name."""

from __future__ import annotations

from importlib import import_module

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.model.lint import LintReport
    from memlint.report.findings.page import Page


def render(name: str, report: LintReport, page: Page) -> Iterator[str]:
    """The report in a format, piece by piece; the others are not even imported."""
    written = getattr(import_module(f"memlint.report.findings.{name}"), f"to_{name}")(report, page)
    return iter((written,)) if isinstance(written, str) else written
