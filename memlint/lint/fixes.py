"""Repairs files: a fix counts only when the result parses, the finding is gone, and nothing else is touched."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter

import msgspec

from memlint.errors import DockerfileError
from memlint.lint.keeping import keeps_the_rest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memlint.lint.gathering import Gathered
    from memlint.lint.linting import Linter
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Span
    from memlint.model.finding import Edit, Finding

    _Place = tuple[str, int, int]
    """A path, a line and a column."""

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
            work.repair_across()
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
        return self._open(self._whole(self.repository))

    def repair_file(self, path: str) -> None:
        """What the rules for single files can repair in one."""
        self._repair(lambda repository: self._linter.in_file(repository, path))

    def repair_across(self) -> None:
        """What only a look at all files shows."""
        self._repair(self._whole)

    def _whole(self, repository: Repository) -> list[Finding]:
        return self._linter.findings(repository, self._targets)[0]

    def _repair(self, look: Callable[[Repository], list[Finding]]) -> None:
        """Apply the fixes of what a look shows: many at once, and fewer where that does not help."""
        found = look(self.repository)
        size = len(found)
        while waiting := self._open(found):
            together = _apart(waiting)[:size]
            after = self._tried(together, found, look)
            if after is not None:
                found, size = after, 2 * size
            elif len(together) > 1:
                size = len(together) // 2
            else:
                self._refused.add((together[0].location.path, together[0].fingerprint))

    def _open(self, findings: Iterable[Finding]) -> list[Finding]:
        return [
            finding
            for finding in findings
            if finding.fix is not None
            and (finding.fix.safe or self._unsafe)
            and finding.location.path in self._targets
            and (finding.location.path, finding.fingerprint) not in self._refused
        ]

    def _tried(
        self, findings: Sequence[Finding], found: Sequence[Finding], look: Callable[[Repository], list[Finding]]
    ) -> list[Finding] | None:
        """Apply the fixes of findings, and give what is found then; None when that does not help as often as there are
        fixes: nothing is changed."""
        repository = self.repository
        for path in dict.fromkeys(finding.location.path for finding in findings):
            fixes = [finding.fix for finding in findings if finding.fix and finding.location.path == path]
            changed = self._changed(repository, path, [edit for fix in fixes for edit in fix.edits])
            if changed is None:
                return None
            repository = changed
        after = look(repository)
        was, now = Counter(map(_kind, found)), Counter(map(_kind, after))
        if any(now[kind] > was[kind] - count for kind, count in Counter(map(_kind, findings)).items()):
            return None
        for path in {finding.location.path for finding in findings}:
            self._states[path].add(repository.content(path))
        self.repository = repository
        self.fixed += findings
        return after

    def _changed(self, repository: Repository, path: str, edits: Sequence[Edit]) -> Repository | None:
        """With the edits in a file; None where it does not parse then, was so before, or lacks something else."""
        before = repository.content(path)
        states = self._states.setdefault(path, {before})
        try:
            content = apply_edits(before, edits)
            changed = repository.with_content(path, content)
        except (DockerfileError, ValueError):
            return None
        if content in states or len(states) > _MOST:
            return None
        old, new = repository.dockerfile(path), changed.dockerfile(path)
        return changed if old is not None and new is not None and keeps_the_rest(old, new, edits) else None


def _kind(finding: Finding) -> tuple[str, str]:
    return finding.location.path, finding.rule


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """In their order, those whose edits do not overlap: the first of any that do."""
    found: list[Finding] = []
    taken: list[tuple[_Place, _Place]] = []
    for finding in findings:
        path = finding.location.path
        spans = [_ends(path, edit.span) for edit in finding.fix.edits] if finding.fix else []
        if all(_is_free(span, taken) for span in spans):
            found.append(finding)
            for span in spans:
                insort(taken, span)
    return found


def _ends(path: str, span: Span) -> tuple[_Place, _Place]:
    return (path, span.line, span.column), (path, span.end_line, span.end_column)


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
