"""Applies the rules of compared images to a report."""

from __future__ import annotations

from collections.abc import Iterable

from memlint.lint.compared import Compared
from memlint.lint.engine import Active, findings_of
from memlint.lint.places import Places
from memlint.lint.repository import Repository
from memlint.model.finding import Finding
from memlint.model.report import Report


def judge(report: Report, places: Places, rules: Iterable[Active], repository: Repository) -> list[Finding]:
    """What the rules say about the images; `repository` has the Dockerfiles that places speak of."""
    hits = [
        (active, hit)
        for active in rules
        for hit in active.check(Compared(report, places, active.rule.cause), **active.thresholds)
    ]
    return findings_of(repository, hits)
