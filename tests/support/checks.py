"""What a check finds in a Dockerfile, with all rules switched on."""

from __future__ import annotations

from collections.abc import Mapping

from memlint.lint.fixes import repair
from memlint.model.finding import Finding
from support.linting import gathered, linter, repository


def findings(rule: str, text: str | Mapping[str, str], root: str = ".") -> list[Finding]:
    """The findings of one rule among those of all rules."""
    files = {"Dockerfile": text} if isinstance(text, str) else dict(text)
    found, _ = linter().findings(repository(files, root), tuple(files))
    return [finding for finding in found if finding.rule == rule]


def evidence(rule: str, text: str, *names: str) -> list[tuple[object, ...]]:
    """The line of each finding of a rule, and of its evidence these."""
    return [
        (finding.location.span.line if finding.location.span else 0, *(finding.evidence[name] for name in names))
        for finding in findings(rule, text)
    ]


def repaired(rule: str, text: str) -> str:
    """The Dockerfile after all fixes of one rule, the unsafe ones too."""
    result = repair(gathered({"Dockerfile": text}), linter(rule), unsafe=True)
    return result.texts.get("Dockerfile", text.encode()).decode()
