"""What a call of `memlint lint` finds: the rules over what was gathered, minus what comments and the baseline know."""

from __future__ import annotations

import os

from memlint.lint.engine import run
from memlint.lint.suppressions import suppress
from memlint.model.lint import SCHEMA, FileError, LintReport, RuleCount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from memlint.lint.engine import Active
    from memlint.lint.gathering import Gathered
    from memlint.lint.repository import Repository
    from memlint.lint.ruleset import Rule
    from memlint.model.finding import Finding


class Linter:
    """The rules of a call: `rules` are all that there are, `active` those that apply.

    `faults` are the files that a check broke on, with the check's rule.
    """

    def __init__(self, rules: Sequence[Rule], active: Iterable[Active]) -> None:
        self.rules = tuple(rules)
        self.active = {each.rule.id: each for each in active}
        self.faults: dict[tuple[str, str], FileError] = {}

    @property
    def looks_at_repository(self) -> bool:
        """Whether a rule compares files with each other."""
        return any(each.rule.scope == "repository" for each in self.active.values())

    def findings(self, repository: Repository, targets: Collection[str]) -> tuple[list[Finding], int]:
        """What the rules find in the targets, and how many findings comments suppressed."""
        found = run(repository, self.active.values(), targets, self._failed)
        return suppress(repository, found, self.rules, self.active, targets)

    def in_file(self, repository: Repository, path: str) -> list[Finding]:
        """What the rules for single files find in one of them."""
        active = {key: each for key, each in self.active.items() if each.rule.scope == "file"}
        found = run(repository, active.values(), (path,), self._failed)
        return suppress(repository, found, self.rules, active, (path,))[0]

    def _failed(self, rule: Rule, path: str, error: Exception) -> None:
        if os.environ.get("MEMLINT_DEBUG"):
            raise error
        message = f"the check of {rule.id} broke: {type(error).__name__}: {error}"
        hint = "this is a bug in memlint: please report it with what MEMLINT_DEBUG=1 shows"
        self.faults[path, rule.id] = FileError(path, None, message, hint)


def to_report(gathered: Gathered, findings: Sequence[Finding], *, suppressed: int = 0) -> LintReport:
    """The report of a call."""
    return LintReport(
        schema=SCHEMA,
        files=gathered.targets,
        findings=tuple(findings),
        errors=gathered.errors,
        statistics=count_by_rule(findings),
        suppressed=suppressed,
    )


def count_by_rule(findings: Iterable[Finding]) -> tuple[RuleCount, ...]:
    """How often each rule was found, the most frequent first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule, []).append(finding)
    counts = [
        RuleCount(rule, group[0].name, group[0].severity, len(group), sum(each.fix is not None for each in group))
        for rule, group in groups.items()
    ]
    return tuple(sorted(counts, key=lambda each: (-each.count, each.rule)))
