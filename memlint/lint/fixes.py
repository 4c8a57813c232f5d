"""Repairs files: a fix counts only when the result parses, the finding is gone, and nothing else is touched."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

import msgspec

from memlint.errors import DockerfileError
from memlint.lint.keeping import keeps_the_rest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memlint.lint.gathering import Gathered
    from memlint.lint.linting import Linter
    from memlint.model.dockerfile import Span
    from memlint.model.finding import Edit, Finding

    _Place = tuple[int, int]
    """A line and a column."""

_BOM = "\ufeff"
_ROUNDS = 10
_MOST = 1000
"""A repair may show what another one can repair; but not so often in a file."""


class Repaired(msgspec.Struct, frozen=True):
    """`texts` are the new contents of the files that changed, by path; `fixed` the findings that are gone."""

    gathered: Gathered
    texts: dict[str, bytes]
    fixed: tuple[Finding, ...]


def repair(gathered: Gathered, linter: Linter, *, unsafe: bool) -> Repaired:
    """Apply the fixes that there are for what was gathered, until none is left that helps. Nothing is written."""
    work = _Work(gathered, linter, unsafe)
    for _ in range(_ROUNDS):
        before = len(work.fixed)
        waiting = work.waiting()
        for path in sorted({finding.location.path for finding in waiting}):
            work.repair_file(path)
        if len(work.fixed) == before:
            work.repair_across(waiting)
        if len(work.fixed) == before:
            break
    changed = {path: work.repository.content(path) for path in gathered.targets if work.changed(path)}
    return Repaired(msgspec.structs.replace(gathered, repository=work.repository), changed, tuple(work.fixed))


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The bytes after the edits, with the BOM and the line ends that they had. ValueError when edits overlap."""
    text = content.decode("utf-8", "surrogateescape")
    mark = _BOM if text.startswith(_BOM) else ""
    text = text.removeprefix(_BOM)
    newline = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
    starts = _line_starts(text)
    spots = []
    for edit in edits:
        start = _offset(text, starts, edit.span.line, edit.span.column)
        end = _offset(text, starts, edit.span.end_line, edit.span.end_column)
        spots.append((start, end, edit.text.replace("\r\n", "\n").replace("\n", newline)))
    spots.sort(key=lambda spot: spot[:2])
    parts, at = [mark], 0
    for start, end, new in spots:
        if start < at or end < start:
            raise ValueError("edits overlap")
        parts += (text[at:start], new)
        at = end
    return "".join((*parts, text[at:])).encode("utf-8", "surrogateescape")


class _Work:
    def __init__(self, gathered: Gathered, linter: Linter, unsafe: bool) -> None:
        self.repository = self._before = gathered.repository
        self.fixed: list[Finding] = []
        self._targets, self._linter = gathered.repository.given, linter
        self._unsafe = unsafe
        self._refused: set[tuple[str, str]] = set()
        self._states: dict[str, set[bytes]] = {}

    def changed(self, path: str) -> bool:
        """Whether a file has another text than at first."""
        return path in self._states and self.repository.content(path) != self._before.content(path)

    def waiting(self) -> list[Finding]:
        """The findings of all rules that may still be repaired."""
        return self._open(self._linter.findings(self.repository, self._targets)[0])

    def repair_file(self, path: str) -> None:
        """What the rules for single files can repair in one: many fixes at once, and fewer where that does not help."""
        findings = self._open(self._linter.in_file(self.repository, path))
        size = len(findings)
        while findings:
            together = _apart(findings)[:size]
            if self._try(together):
                findings, size = self._open(self._linter.in_file(self.repository, path)), 2 * size
            elif len(together) > 1:
                size = len(together) // 2
            else:
                self._refuse(together[0])
                findings = self._open(findings)

    def repair_across(self, findings: Iterable[Finding]) -> None:
        """What only a look at all files shows. A fix moves the places of others in its file: those wait."""
        touched: set[str] = set()
        for finding in findings:
            if finding.location.path in touched:
                continue
            if self._try([finding]):
                touched.add(finding.location.path)
            else:
                self._refuse(finding)

    def _open(self, findings: Iterable[Finding]) -> list[Finding]:
        return [
            finding
            for finding in findings
            if finding.fix is not None
            and (finding.fix.safe or self._unsafe)
            and finding.location.path in self._targets
            and (finding.location.path, finding.fingerprint) not in self._refused
        ]

    def _refuse(self, finding: Finding) -> None:
        self._refused.add((finding.location.path, finding.fingerprint))

    def _try(self, findings: Sequence[Finding]) -> bool:
        """Apply the fixes of findings in one file; False when it does not help as often as there are fixes."""
        path = findings[0].location.path
        before = self.repository.content(path)
        states = self._states.setdefault(path, {before})
        edits = [edit for finding in findings if finding.fix for edit in finding.fix.edits]
        try:
            content = apply_edits(before, edits)
            repository = self.repository.with_content(path, content)
        except (DockerfileError, ValueError):
            return False
        if content in states or len(states) > _MOST:
            return False
        old, new = self.repository.dockerfile(path), repository.dockerfile(path)
        if old is None or new is None or not keeps_the_rest(old, new, edits):
            return False
        for rule, count in Counter(finding.rule for finding in findings).items():
            was = len(self._linter.of_rule(self.repository, path, rule))
            if len(self._linter.of_rule(repository, path, rule)) > was - count:
                return False
        states.add(content)
        self.repository = repository
        self.fixed += findings
        return True


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """In their order, those whose edits do not overlap: the first of any that do."""
    found: list[Finding] = []
    taken: list[tuple[_Place, _Place]] = []
    for finding in findings:
        spans = [_ends(edit.span) for edit in finding.fix.edits] if finding.fix else []
        if all(_is_free(span, taken) for span in spans):
            found.append(finding)
            for span in spans:
                insort(taken, span)
    return found


def _ends(span: Span) -> tuple[_Place, _Place]:
    return (span.line, span.column), (span.end_line, span.end_column)


def _is_free(span: tuple[_Place, _Place], taken: Sequence[tuple[_Place, _Place]]) -> bool:
    at = bisect_left(taken, span)
    return (at == 0 or taken[at - 1][1] <= span[0]) and (at == len(taken) or span[1] <= taken[at][0])


def _line_starts(text: str) -> list[int]:
    starts = [0]
    while (end := text.find("\n", starts[-1])) >= 0:
        starts.append(end + 1)
    return starts


def _offset(text: str, starts: list[int], line: int, column: int) -> int:
    """The offset of a place; one beyond the last line, or beyond the end of a line, is that end."""
    if line > len(starts):
        return len(text)
    end = starts[line] - 1 if line < len(starts) else len(text)
    return min(starts[line - 1] + column - 1, end)
