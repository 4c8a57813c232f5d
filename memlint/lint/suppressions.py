"""Comments that suppress findings: `# memlint ignore=ML101,ML102 # reason`, `# memlint global ignore=ML101`.

The first kind stands on the line above what it is about; other comments may stand between. Above an instruction it
covers all of it, above a line in the middle of one that line. The second kind covers the file.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

import msgspec

from memlint.lint.comments import COMMENT, misplaced, shields
from memlint.lint.engine import findings_of
from memlint.lint.ruleset import ALL
from memlint.lint.selection import suggested
from memlint.model.dockerfile import Dockerfile, Span, Word
from memlint.model.finding import Edit, Finding, Fix, Hit, Location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from memlint.lint.engine import Active
    from memlint.lint.repository import Repository
    from memlint.lint.ruleset import Rule

UNUSED, UNKNOWN = "ML001", "ML002"
"""The rules about the comments themselves."""

_NAME = re.compile(r"[\w-]+")
_MEANT = r"(?i)#\s*memlint\b\W*(?:global\b\W*)?(?:ignore|disable|noqa|\w+\s*[=:])"
"""What was surely written to suppress something."""
_ABOVE = "put it on a line of its own, above the instruction"
_FORM = "write `# memlint ignore=ML101 # reason`, or `# memlint global ignore=ML101` for the whole file"


class Named(msgspec.Struct, frozen=True):
    """A rule as a comment names it; `rule` is its id, None where there is no such rule."""

    text: str
    rule: str | None
    span: Span


class Suppression(msgspec.Struct, frozen=True):
    """One comment: what it names, and the lines it covers; None are all."""

    span: Span
    names: tuple[Named, ...]
    lines: tuple[int, int] | None


class _Covered:
    """Which lines of a file the comments in it cover, by rule; a comment is found without a look at the others."""

    def __init__(self, comments: Iterable[Suppression]) -> None:
        self._everywhere: set[str | None] = set()
        self._ends: dict[str | None, tuple[list[int], list[int]]] = {}
        for comment in comments:
            for name in comment.names:
                if comment.lines is None:
                    self._everywhere.add(name.rule)
                else:
                    self._add(*self._ends.setdefault(name.rule, ([], [])), *comment.lines)

    def __contains__(self, finding: Finding) -> bool:
        span = _anchor(finding).span
        if finding.rule in self._everywhere or span is None:
            return finding.rule in self._everywhere
        firsts, lasts = self._ends.get(finding.rule, ([], []))
        at = bisect_right(firsts, span.line) - 1
        return at >= 0 and span.line <= lasts[at]

    @staticmethod
    def _add(firsts: list[int], lasts: list[int], first: int, last: int) -> None:
        """Comments come in their order: one that begins within the lines of the one before makes them more."""
        if lasts and first <= lasts[-1]:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)


def suppress(
    repository: Repository,
    findings: Sequence[Finding],
    rules: Iterable[Rule],
    active: Mapping[str, Active],
    targets: Collection[str],
) -> tuple[list[Finding], int]:
    """The findings that no comment suppresses, with those about the comments; and how many were suppressed."""
    anchored = {finding.anchor.path for finding in findings if finding.anchor}
    looked_at = anchored.intersection(repository.paths).union(targets)
    paths = sorted(path for path in looked_at if repository.outline(path).speaks)
    if not paths:
        return list(findings), 0
    rules = tuple(rules)
    comments = {path: suppressions(dockerfile, rules) for path in paths if (dockerfile := repository.dockerfile(path))}
    covered = {path: _Covered(found) for path, found in comments.items()}
    found = _by_rule(findings)
    hits = [
        hit
        for path in paths
        if path in targets and (dockerfile := repository.dockerfile(path))
        for hit in _about(dockerfile, comments[path], rules, active, found)
    ]
    told = [*findings, *findings_of(repository, hits)]
    shown = [finding for finding in told if finding not in covered.get(_anchor(finding).path, ())]
    return sorted(shown, key=_order), len(told) - len(shown)


def suppressions(dockerfile: Dockerfile, rules: Iterable[Rule]) -> tuple[Suppression, ...]:
    """Those of a file, in its order."""
    known = {key: rule.id for rule in rules for key in (rule.id.lower(), rule.name)}
    lines = _lines(dockerfile)
    found = []
    for comment in dockerfile.comments:
        match = re.match(COMMENT, comment.text.rstrip())
        if match is None:
            continue
        parts = _NAME.finditer(comment.text, match.start("ids"), match.end("ids"))
        names = tuple(
            Named(part[0], known.get(part[0].lower()), _within(comment, part.start(), part.end())) for part in parts
        )
        line = comment.span.line
        found.append(Suppression(comment.span, names, None if match["all"] else (line, lines[line])))
    return tuple(found)


def _lines(dockerfile: Dockerfile) -> dict[int, int]:
    """The last line that a comment is about, by its own, which is one of them: comments can be wrong, too."""
    ends = {instruction.span.line: instruction.span.end_line for instruction in dockerfile.instructions}
    last: dict[int, int] = {}
    for comment in reversed(dockerfile.comments):
        line = comment.span.line
        last[line] = last.get(line + 1) or ends.get(line + 1, line + 1)
    return last


def _by_rule(findings: Iterable[Finding]) -> dict[tuple[str, str], list[int]]:
    """The lines of the findings of a rule in a file, in their order; 0 stands for the file as a whole."""
    found: dict[tuple[str, str], list[int]] = {}
    for finding in findings:
        place = _anchor(finding)
        found.setdefault((place.path, finding.rule), []).append(place.span.line if place.span else 0)
    return {key: sorted(lines) for key, lines in found.items()}


def _anchor(finding: Finding) -> Location:
    """The place whose comments count: where a look at all files tells of it."""
    return finding.anchor or finding.location


def _about(
    dockerfile: Dockerfile,
    comments: Sequence[Suppression],
    rules: Iterable[Rule],
    active: Mapping[str, Active],
    found: Mapping[tuple[str, str], Sequence[int]],
) -> Iterator[tuple[Active, Hit]]:
    """What is wrong with the comments of a file."""
    if UNUSED in active:
        judged = {key for key, rule in active.items() if not rule.ignored(dockerfile.path)} - {UNUSED, UNKNOWN}
        for comment in comments:
            idle = [
                name.rule in judged and not _needed(name, comment, dockerfile.path, found) for name in comment.names
            ]
            if any(idle):
                yield active[UNUSED], _unused(dockerfile, comment, idle)
    if UNKNOWN in active:
        for problem, span, suggestion in _wrong(dockerfile, comments, tuple(rules)):
            place = Location(dockerfile.path, span)
            yield active[UNKNOWN], Hit(place, {"problem": problem}, suggestion=suggestion)


def _needed(name: Named, comment: Suppression, path: str, found: Mapping[tuple[str, str], Sequence[int]]) -> bool:
    """Whether a finding of the rule lies where the comment covers it."""
    lines = found.get((path, name.rule or ""), ())
    if comment.lines is None:
        return bool(lines)
    first, last = comment.lines
    at = bisect_left(lines, first)
    return at < len(lines) and lines[at] <= last


def _wrong(
    dockerfile: Dockerfile, comments: Sequence[Suppression], rules: Sequence[Rule]
) -> Iterator[tuple[str, Span, str]]:
    """What cannot suppress anything, where, and what to do."""
    for comment in comments:
        for name in comment.names:
            if name.rule is None:
                yield f"there is no rule {name.text}", name.span, _instead(name.text, rules)
    understood = {comment.span.line for comment in comments}
    for word in dockerfile.comments:
        if word.span.line not in understood and re.match(_MEANT, word.text):
            yield "this comment suppresses nothing, for it is not understood", word.span, _FORM
    for span in misplaced(dockerfile):
        yield "this comment suppresses nothing, for it is a part of the instruction", span, _ABOVE


def _instead(name: str, rules: Sequence[Rule]) -> str:
    """What to write instead of a name that no rule has."""
    wanted = name.upper()
    if wanted == ALL or (len(wanted) > 2 and any(rule.id.startswith(wanted) for rule in rules)):
        return "name each rule: what stands for several does so in select and ignore, not in comments"
    return suggested(name, rules)


def _unused(dockerfile: Dockerfile, comment: Suppression, idle: Sequence[bool]) -> Hit:
    useless = [name for name, is_idle in zip(comment.names, idle, strict=True) if is_idle]
    left = [name.text for name, is_idle in zip(comment.names, idle, strict=True) if not is_idle]
    names = ", ".join(name.text for name in useless)
    span = comment.span
    fix: Fix | None
    if left:
        whole = Span(span.line, comment.names[0].span.column, span.line, comment.names[-1].span.end_column)
        fix = Fix((Edit(whole, ",".join(left)),), True, f"remove {names}")
    elif shields(dockerfile, span.line):
        fix = None
    else:
        fix = Fix((Edit(Span(span.line, 1, span.line + 1, 1), ""),), True, "remove the comment")
    place = Span(span.line, useless[0].span.column, span.line, useless[-1].span.end_column)
    return Hit(Location(dockerfile.path, place), {"rules": names}, fix=fix)


def _within(comment: Word, start: int, end: int) -> Span:
    span = comment.span
    return Span(span.line, span.column + start, span.line, span.column + end)


def _order(finding: Finding) -> tuple[str, int, int, str]:
    span = finding.location.span
    return finding.location.path, span.line if span else 0, span.column if span else 0, finding.rule
