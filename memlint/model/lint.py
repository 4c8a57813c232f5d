"""What linting found. The JSON output is this, field by field."""

from __future__ import annotations

import msgspec

from memlint.model.finding import Finding, Severity

SCHEMA = "memlint.lint/1"


class FileError(msgspec.Struct, frozen=True):
    """A file that could not be linted: what is wrong (at `line`, where one can be told), and what to do."""

    path: str
    line: int | None
    message: str
    hint: str


class RuleCount(msgspec.Struct, frozen=True):
    """How often a rule was found, and how many of these findings have a fix."""

    rule: str
    name: str
    severity: Severity
    count: int
    fixable: int


class LintReport(msgspec.Struct, frozen=True):
    """The Dockerfiles of a call, and what the rules say about them.

    Paths are relative to the root of the repository. `suppressed` findings are silenced by a comment, `known` ones by
    the baseline; `fixed` were there before `--fix`. `stale` counts entries of the baseline that nothing matched.
    """

    schema: str
    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    errors: tuple[FileError, ...]
    statistics: tuple[RuleCount, ...]
    suppressed: int = 0
    known: int = 0
    stale: int = 0
    fixed: tuple[RuleCount, ...] = ()
