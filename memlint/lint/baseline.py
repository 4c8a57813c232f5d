"""The baseline: findings that were there when it was written, and are not reported again."""

from __future__ import annotations

import json

import msgspec

from memlint.sources.document import Kind, read_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from memlint.model.finding import Finding

SCHEMA = "memlint.baseline/1"


class _Known(msgspec.Struct):
    fingerprint: str


class _Baseline(msgspec.Struct):
    findings: list[_Known]


_KIND = Kind(_Baseline, SCHEMA, "baseline", "write one with --write-baseline, or name another file")


def to_baseline(findings: Iterable[Finding]) -> str:
    """The text of a baseline file: one finding a line, so that merges are easy and differences can be read."""
    entries = [
        {
            "fingerprint": finding.fingerprint,
            "rule": finding.rule,
            "path": finding.location.path,
            "message": finding.message,
        }
        for finding in findings
    ]
    lines = ",\n".join("    " + json.dumps(entry, ensure_ascii=True) for entry in entries)
    body = f"[\n{lines}\n  ]" if entries else "[]"
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": {body}\n}}\n'


def read_baseline(path: str) -> frozenset[str]:
    """The fingerprints that a file lists. UsageError names the file that is no baseline."""
    return frozenset(each.fingerprint for each in read_document(path, _KIND).findings)


def without_known(findings: Iterable[Finding], known: frozenset[str]) -> tuple[list[Finding], int]:
    """The findings that are new, and how many entries of the baseline nothing matched."""
    findings = list(findings)
    matched = known & {finding.fingerprint for finding in findings}
    return [finding for finding in findings if finding.fingerprint not in known], len(known) - len(matched)
