"""Applies the rules of compared images to a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memlint.lint.compared import Compared
from memlint.lint.engine import Active, finding
from memlint.lint.fingerprint import Fingerprints
from memlint.lint.places import Places
from memlint.lint.repository import Repository
from memlint.model.finding import SEVERITIES, Finding, Hit
from memlint.model.report import Report


def judge(report: Report, places: Places, rules: Iterable[Active], repository: Repository) -> tuple[Finding, ...]:
    """What the rules say about the images, the worst first; `repository` has the Dockerfiles that places speak of."""
    hits = [(active, hit) for active in rules for hit in _hits(report, places, active)]
    hits.sort(key=lambda pair: (SEVERITIES.index(pair[0].severity), pair[0].rule.id))
    fingerprints = Fingerprints(repository)
    return tuple(finding(active.rule, active.severity, hit, fingerprints) for active, hit in hits)


def _hits(report: Report, places: Places, active: Active) -> Iterator[Hit]:
    yield from active.check(Compared(report, places, active.rule.cause), **active.thresholds)
