"""Applies rules to the Dockerfiles of a repository."""

from __future__ import annotations

from contextlib import suppress
from sys import intern
from typing import Any

import msgspec

from memlint.config import RuleSettings
from memlint.errors import MemlintError, UsageError
from memlint.lint.fingerprint import Fingerprints
from memlint.lint.repository import Repository
from memlint.lint.ruleset import Rule, load_check, thresholds_for
from memlint.model.finding import Finding, Hit, Location, Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from typing import TypeAlias

    from memlint.lint.ruleset import Check

    Failed: TypeAlias = Callable[[Rule, str, Exception], None]

__all__ = ["Active", "Override", "Repository", "activate", "run"]


class Override(msgspec.Struct, frozen=True):
    """What holds for a rule in some files: it is silent there, or it has other settings."""

    globs: Any
    ignored: bool
    settings: RuleSettings | None = None


class Active(msgspec.Struct, frozen=True):
    """A rule that is switched on, with its check and the thresholds in force; `check` is None for the engine's own."""

    rule: Rule
    severity: Severity
    check: Any = None
    thresholds: dict[str, Any] = {}
    overrides: tuple[Override, ...] = ()

    def ignored(self, path: str) -> bool:
        """Whether the rule is silent in a file."""
        return any(each.ignored and each.globs.match(path) for each in self.overrides)

    def severity_in(self, path: str) -> Severity:
        """How much a finding in a file weighs."""
        for each in self._settings(path):
            if each.severity is not None:
                return each.severity
        return self.severity

    def thresholds_in(self, path: str) -> dict[str, Any]:
        """The thresholds for a file."""
        changed: dict[str, Any] = {}
        for each in self._settings(path):
            changed = {**each.thresholds, **changed}
        return {**self.thresholds, **thresholds_for(self.check, changed, f"{self.rule.id} in {path}")}

    def _settings(self, path: str) -> Iterator[RuleSettings]:
        """Those that hold for a file; the last one of the configuration comes first, and decides."""
        for each in reversed(self.overrides):
            if each.settings is not None and each.globs.match(path):
                yield each.settings


def activate(rule: Rule, settings: RuleSettings | None = None, overrides: tuple[Override, ...] = ()) -> Active:
    """The rule, ready to run. UsageError when the settings do not fit it."""
    severity = (settings and settings.severity) or rule.severity
    if rule.check is None:
        return Active(rule, severity, overrides=overrides)
    if rule.scope == "repository" and settings is None:
        return Active(rule, severity, _loaded_when_needed(rule), overrides=overrides)
    where = f"{rule.id}.toml"
    check = load_check(rule, where)
    thresholds = {**rule.thresholds, **(settings.thresholds if settings else {})}
    return Active(rule, severity, check, thresholds_for(check, thresholds, where), overrides)


def _loaded_when_needed(rule: Rule) -> Check:
    """The check, which is not even read where there is nothing to compare."""

    def check(repository: Repository) -> Iterable[Hit]:
        where = f"{rule.id}.toml"
        loaded = load_check(rule, where)
        return loaded(repository, **thresholds_for(loaded, rule.thresholds, where))

    return check


def run(
    repository: Repository, rules: Iterable[Active], targets: Collection[str], failed: Failed | None = None
) -> list[Finding]:
    """All findings in the targets, by path and line: rules of the repository look at all files and tell of these.

    `failed` is told of a check that breaks; without it, the error goes on its way.
    """
    active = [each for each in rules if each.check is not None]
    alone = [each for each in active if each.rule.scope == "file"]
    across = [each for each in active if each.rule.scope == "repository"]
    across = across if across and _has_several_images(repository) else []
    hits: list[tuple[Active, Hit]] = []
    for path in repository.paths if across else sorted(targets):
        if path in targets:
            hits += _in_file(repository, path, alone, failed)
        if across:
            _remember(repository, path)
    for each in across:
        found = _found(each, ".", failed, repository, **each.thresholds)
        hits += [(each, hit) for hit in found if hit.location.path in targets]
    return findings_of(repository, hits)


def _has_several_images(repository: Repository) -> bool:
    """Whether there may be anything to compare."""
    if len(repository.paths) != 1:
        return bool(repository.paths)
    dockerfile = repository.dockerfile(repository.paths[0])
    if dockerfile is None or len(dockerfile.stages) < 2:
        return False
    from memlint.lint.image import images_of  # most files that are looked at alone have one stage

    return len(images_of(dockerfile, repository)) > 1


def findings_of(repository: Repository, hits: Iterable[tuple[Active, Hit]]) -> list[Finding]:
    """The findings that hits stand for, by path, line and rule, without those that the configuration ignores."""
    fingerprints = Fingerprints(repository)
    kept = [(active, hit) for active, hit in hits if not active.ignored(hit.location.path)]
    kept.sort(key=lambda pair: (_place(pair[1].location), pair[0].rule.id))
    return [finding(active.rule, active.severity_in(hit.location.path), hit, fingerprints) for active, hit in kept]


def finding(rule: Rule, severity: Severity, hit: Hit, fingerprints: Fingerprints) -> Finding:
    """What a hit is called."""
    try:
        message = intern(rule.message.format_map(hit.evidence))
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
        fingerprint=fingerprints.of(rule.id, hit.anchor or hit.location),
        anchor=hit.anchor if hit.anchor != hit.location else None,
    )


def _in_file(
    repository: Repository, path: str, rules: Iterable[Active], failed: Failed | None
) -> Iterator[tuple[Active, Hit]]:
    """What rules for single files find in one: all of them while it is parsed."""
    dockerfile = repository.dockerfile(path)
    for active in rules if dockerfile else ():
        thresholds = active.thresholds_in(path) if active.overrides else active.thresholds
        for hit in _found(active, path, failed, dockerfile, repository, **thresholds):
            yield active, hit


def _remember(repository: Repository, path: str) -> None:
    """Take down what most comparisons need of a file while it is parsed; one that breaks on it says so itself."""
    from memlint.lint.fleet import is_unrelated  # only comparisons need it

    with suppress(Exception):
        if not is_unrelated(path):
            repository.built(path)


def _found(active: Active, path: str, failed: Failed | None, *given: Any, **thresholds: Any) -> list[Hit]:
    """What a check finds. One that breaks is a bug: it must not take the other files and rules along."""
    try:
        return list(active.check(*given, **thresholds))
    except MemlintError:
        raise
    except Exception as error:
        if failed is None:
            raise
        failed(active.rule, path, error)
        return []


def _place(location: Location) -> tuple[str, int, int]:
    span = location.span
    return location.path, span.line if span else 0, span.column if span else 0
