"""Applies rules to the Dockerfiles of a repository."""

from __future__ import annotations

from typing import Any

import msgspec

from memlint.config import Value
from memlint.errors import UsageError
from memlint.lint.fingerprint import Fingerprints
from memlint.lint.repository import Repository
from memlint.lint.ruleset import Rule, load_check, thresholds_for
from memlint.model.finding import Finding, Hit, Location, Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

__all__ = ["Active", "Repository", "activate", "run"]


class Active(msgspec.Struct, frozen=True):
    """A rule that is switched on, with its check and the thresholds in force."""

    rule: Rule
    check: Any
    thresholds: dict[str, Any]
    severity: Severity


def activate(rule: Rule, severity: Severity | None = None, thresholds: Mapping[str, Value] | None = None) -> Active:
    """The rule, ready to run; its severity and its thresholds may be overridden. UsageError when they do not fit."""
    where = f"{rule.id}.toml"
    check = load_check(rule, where)
    values = thresholds_for(check, {**rule.thresholds, **(thresholds or {})}, where)
    return Active(rule, check, values, severity or rule.severity)


def run(repository: Repository, rules: Iterable[Active], targets: Collection[str]) -> list[Finding]:
    """All findings in the targets, by path and line: rules of the repository look at all files and tell of these."""
    hits = [
        (active, hit) for active in rules for hit in _hits(repository, active, targets) if hit.location.path in targets
    ]
    hits.sort(key=lambda pair: (_place(pair[1].location), pair[0].rule.id))
    fingerprints = Fingerprints(repository)
    return [finding(active.rule, active.severity, hit, fingerprints) for active, hit in hits]


def finding(rule: Rule, severity: Severity, hit: Hit, fingerprints: Fingerprints) -> Finding:
    """What a hit is called."""
    try:
        message = rule.message.format_map(hit.evidence)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        known = ", ".join(hit.evidence)
        raise UsageError(
            f"{rule.id}.toml: the message does not fit ({error!r})", f"its evidence has {known}"
        ) from error
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=severity,
        message=message,
        location=hit.location,
        related=hit.related,
        evidence=hit.evidence,
        suggestion=hit.suggestion,
        fix=hit.fix,
        fingerprint=fingerprints.of(rule.id, hit.location),
    )


def _hits(repository: Repository, active: Active, targets: Collection[str]) -> Iterator[Hit]:
    if active.rule.scope == "repository":
        yield from active.check(repository, **active.thresholds)
        return
    for dockerfile in repository.dockerfiles:
        if dockerfile.path in targets:
            yield from active.check(dockerfile, repository, **active.thresholds)


def _place(location: Location) -> tuple[str, int, int]:
    span = location.span
    return location.path, span.line if span else 0, span.column if span else 0
