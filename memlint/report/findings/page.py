"""What the formats share: the files that a report speaks of, and how severities, places and texts are written."""

from __future__ import annotations

import os

from memlint.model.finding import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memlint.lint.repository import Repository
    from memlint.lint.ruleset import Rule
    from memlint.model.finding import Finding, Location
    from memlint.report.terminal import Terminal


class Page:
    """Where a report is read: its repository, the rules that ran, and the terminal."""

    def __init__(
        self, repository: Repository, rules: Iterable[Rule], terminal: Terminal, *, unsafe: bool = False
    ) -> None:
        self.rules = tuple(rules)
        self.terminal = terminal
        self.unsafe = unsafe
        self.root = repository.root
        self._repository = repository

    def line(self, path: str, number: int) -> str | None:
        """A line of a Dockerfile, without its end."""
        lines = self._repository.lines(path)
        return lines[number - 1] if 0 < number <= len(lines) else None

    def shown(self, path: str) -> str:
        """A path of the report as it is written from the current directory."""
        return shown_path(self.root, path)

    def fixable(self, finding: Finding) -> bool:
        """Whether `--fix`, called as this run was, repairs it."""
        return finding.fix is not None and (finding.fix.safe or self.unsafe)


def shown_path(root: str, path: str) -> str:
    """The same, for a file below `root`; standard input has no other name."""
    return path if path == "-" else os.path.relpath(os.path.join(root, path))


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity; those of one severity stay in the order of their places."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def count_severities(findings: Sequence[Finding]) -> str:
    """`2 errors, 5 warnings, 1 info`, the worst first."""
    counts = [(severity, sum(each.severity == severity for each in findings)) for severity in SEVERITIES]
    plurals = {"error": "errors", "warning": "warnings"}
    return ", ".join(
        f"{count} {plurals.get(severity, severity) if count > 1 else severity}" for severity, count in counts if count
    )


def position(location: Location) -> tuple[int, int]:
    """The line and the column where it begins; those of a whole file are 1, 1."""
    return (location.span.line, location.span.column) if location.span else (1, 1)


def printable(text: str) -> str:
    """The text on one line, with nothing that could steer a terminal: it quotes files of strangers."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " if char in "\t\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def legible(text: str) -> str:
    """The text with its lines, but without bytes that are not UTF-8: JSON cannot hold them."""
    return text.encode("utf-8", "backslashreplace").decode()
