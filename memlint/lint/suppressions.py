"""Comments that suppress findings: `# memlint ignore=ML101,ML102 # reason`, `# memlint global ignore=ML101`.

The first kind stands on the line above what it is about; other comments may stand between. Above an instruction it
covers all of it, above a line in the middle of one that line. The second kind covers the file.
"""

from __future__ import annotations

import re

import msgspec

from memlint.lint.engine import findings_of
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

_COMMENT = re.compile(r"#\s*memlint\s+(global\s+)?ignore\s*=\s*(?P<ids>[\w-]+(?:\s*,\s*[\w-]+)*)\s*(?:#.*)?\Z")
_NAME = re.compile(r"[\w-]+")
_MEANT = re.compile(r"#\s*memlint\b\W*(?:global\b\W*)?(?:ignore|disable|noqa|\w+\s*[=:])", re.IGNORECASE)
"""What was surely written to suppress something."""
_FORM = "write `# memlint ignore=ML101 # reason`, or `# memlint global ignore=ML101` for the whole file"


class Named(msgspec.Struct, frozen=True):
    """A rule as a comment names it; `rule` is its id, None where there is no such rule."""

    text: str
    rule: str | None
    span: Span


class Suppression(msgspec.Struct, frozen=True):
    """One comment: what it names, and the lines it covers; None are all. `used` are the rules it was needed for."""

    span: Span
    names: tuple[Named, ...]
    first: int | None
    last: int | None
    used: set[str] = msgspec.field(default_factory=set)

    def covers(self, finding: Finding) -> bool:
        """Whether it is about this finding; remembers that."""
        if self.first is not None and self.last is not None:
            span = _anchor(finding).span
            if span is None or not self.first <= span.line <= self.last:
                return False
        if all(name.rule != finding.rule for name in self.names):
            return False
        self.used.add(finding.rule)
        return True


def suppress(
    repository: Repository,
    findings: Sequence[Finding],
    rules: Iterable[Rule],
    active: Mapping[str, Active],
    targets: Collection[str],
) -> tuple[list[Finding], int]:
    """The findings that no comment suppresses, with those about the comments; and how many were suppressed."""
    places = {*targets, *(finding.anchor.path for finding in findings if finding.anchor)}
    paths = [path for path in repository.paths if path in places and repository.outline(path).speaks]
    if not paths:
        return list(findings), 0
    rules = tuple(rules)
    comments = {path: suppressions(dockerfile, rules) for path in paths if (dockerfile := repository.dockerfile(path))}
    kept = [finding for finding in findings if not _covered(finding, comments)]
    hits = [
        hit
        for path in paths
        if path in targets and (dockerfile := repository.dockerfile(path))
        for hit in _about(dockerfile, comments[path], rules, active)
    ]
    about = findings_of(repository, hits)
    shown = [finding for finding in about if not _covered(finding, comments)]
    count = len(findings) + len(about) - len(kept) - len(shown)
    return sorted([*kept, *shown], key=_order), count


def suppressions(dockerfile: Dockerfile, rules: Iterable[Rule]) -> tuple[Suppression, ...]:
    """Those of a file, in its order."""
    known = {key: rule.id for rule in rules for key in (rule.id.lower(), rule.name)}
    lines = {comment.span.line for comment in dockerfile.comments}
    found = []
    for comment in dockerfile.comments:
        match = _COMMENT.match(comment.text.rstrip())
        if match is None:
            continue
        parts = _NAME.finditer(comment.text, match.start("ids"), match.end("ids"))
        names = tuple(
            Named(part[0], known.get(part[0].lower()), _within(comment, part.start(), part.end())) for part in parts
        )
        first, last = (None, None) if match[1] else _covers(dockerfile, comment.span.line, lines)
        found.append(Suppression(comment.span, names, first, last))
    return tuple(found)


def _covers(dockerfile: Dockerfile, line: int, comments: Collection[int]) -> tuple[int, int]:
    """The lines that a comment on `line` is about; its own is one of them, for comments can be wrong, too."""
    below = line
    while below in comments:
        below += 1
    for instruction in dockerfile.instructions:
        if instruction.span.line == below:
            return line, instruction.span.end_line
    return line, below


def _covered(finding: Finding, comments: Mapping[str, Iterable[Suppression]]) -> bool:
    """Every comment that covers it counts as used, so all of them are asked."""
    covering = [comment for comment in comments.get(_anchor(finding).path, ()) if comment.covers(finding)]
    return bool(covering)


def _anchor(finding: Finding) -> Location:
    """The place whose comments count: where a look at all files tells of it."""
    return finding.anchor or finding.location


def _about(
    dockerfile: Dockerfile, comments: Iterable[Suppression], rules: Iterable[Rule], active: Mapping[str, Active]
) -> Iterator[tuple[Active, Hit]]:
    """What is wrong with the comments of a file."""
    if UNUSED in active:
        for comment in comments:
            idle = [name for name in comment.names if _idle(name, comment, active, dockerfile.path)]
            if idle:
                yield active[UNUSED], _unused(dockerfile, comment, idle)
    if UNKNOWN in active:
        for comment in comments:
            for name in comment.names:
                if name.rule is None:
                    evidence: dict[str, str | int] = {"problem": f"there is no rule {name.text}"}
                    place = Location(dockerfile.path, name.span)
                    yield active[UNKNOWN], Hit(place, evidence, suggestion=suggested(name.text, rules))
        understood = {comment.span.line for comment in comments}
        for word in dockerfile.comments:
            if word.span.line not in understood and _MEANT.match(word.text):
                evidence = {"problem": "this comment suppresses nothing, for it is not understood"}
                yield active[UNKNOWN], Hit(Location(dockerfile.path, word.span), evidence, suggestion=_FORM)


def _idle(name: Named, comment: Suppression, active: Mapping[str, Active], path: str) -> bool:
    """Whether a rule that ran found nothing there; of one that did not run nobody knows."""
    if name.rule is None or name.rule in comment.used or name.rule in (UNUSED, UNKNOWN):
        return False
    return name.rule in active and not active[name.rule].ignored(path)


def _unused(dockerfile: Dockerfile, comment: Suppression, idle: Sequence[Named]) -> Hit:
    names = ", ".join(name.text for name in idle)
    left = [name.text for name in comment.names if name not in idle]
    span = comment.span
    if left:
        whole = Span(span.line, comment.names[0].span.column, span.line, comment.names[-1].span.end_column)
        fix = Fix((Edit(whole, ",".join(left)),), True, f"remove {names}")
    else:
        fix = Fix((Edit(Span(span.line, 1, span.line + 1, 1), ""),), True, "remove the comment")
    place = Span(span.line, idle[0].span.column, span.line, idle[-1].span.end_column)
    return Hit(Location(dockerfile.path, place), {"rules": names}, fix=fix)


def _within(comment: Word, start: int, end: int) -> Span:
    span = comment.span
    return Span(span.line, span.column + start, span.line, span.column + end)


def _order(finding: Finding) -> tuple[str, int, int, str]:
    span = finding.location.span
    return finding.location.path, span.line if span else 0, span.column if span else 0, finding.rule
