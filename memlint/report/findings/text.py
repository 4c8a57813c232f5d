"""Findings → a page for people: each with the line that it is about, then what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from unicodedata import combining, east_asian_width

from memlint.model.finding import Finding, Location, Related
from memlint.model.lint import LintReport, RuleCount
from memlint.model.units import plural
from memlint.report.findings.page import Page, count_severities, position, printable, worst_first

_COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36", "style": "1;35"}
_RELATED_SHOWN = 3
_TAB = "    "


def to_text(report: LintReport, page: Page) -> Iterator[str]:
    """The page, for a terminal of its width, line by line."""
    return (f"{line}\n" for line in _Text(report, page).lines())


def to_statistics(report: LintReport, page: Page) -> str:
    """A table: how often each rule was found, and what it is about."""
    text = _Text(report, page)
    titles = {rule.id: rule.title for rule in page.rules}
    lines = [text.count(each, titles.get(each.rule, "")) for each in report.statistics]
    return "".join(f"{line}\n" for line in (*lines, *([""] if lines else []), *text.summary()))


class _Text:
    def __init__(self, report: LintReport, page: Page) -> None:
        self._report, self._page = report, page
        self._width, self._color = page.terminal.width, page.terminal.color
        places = [position(finding.location)[0] for finding in report.findings]
        self._gutter = len(str(max(places, default=1)))

    def lines(self) -> Iterator[str]:
        """Each finding with an empty line, and the summary."""
        for finding in self._report.findings:
            yield from self._finding(finding)
            yield ""
        yield from self.summary()

    def count(self, each: RuleCount, title: str) -> str:
        severity = self._paint(f"{each.severity:7}", _COLORS[each.severity])
        mark = "[*]" if each.fixable else "   "
        return f"{each.count:5}  {each.rule:5}  {severity}  {mark}  {_cut(printable(title), self._width - 28)}"

    def summary(self) -> Iterator[str]:
        """What all of it comes to; the counts that are zero are left out."""
        report = self._report
        files = plural(len(report.files), "Dockerfile")
        if report.fixed:
            fixed = ", ".join(f"{each.rule} × {each.count}" for each in report.fixed)
            yield from self._filled(f"Fixed {plural(sum(each.count for each in report.fixed), 'finding')}: {fixed}.")
        if report.findings:
            hit = len({finding.location.path for finding in report.findings})
            number = plural(len(report.findings), "finding")
            where = f"in {hit} of {files}" if len(report.files) > 1 else f"in {files}"
            counted = f"{self._paint(number, '1')} ({count_severities(report.findings)}) {where}"
            yield from self._filled(counted + self._fixes())
        else:
            nothing = f"No findings in {files}." if report.files else "No Dockerfile was linted."
            yield self._paint(nothing, "1;32" if report.files and not report.errors else "1")
        yield from self._filled(self._aside())
        if report.findings:
            worst = worst_first(report.findings)[0].rule
            yield from self._filled(f"Why, and what to do:  memlint explain {worst}")

    def _fixes(self) -> str:
        fixes = [finding.fix for finding in self._report.findings if finding.fix is not None]
        safe = sum(fix.safe or self._page.unsafe for fix in fixes)
        unsafe = len(fixes) - safe
        option = "--fix --unsafe-fixes" if self._page.unsafe else "--fix"
        parts = [f"{safe} fixable with {option} [*]"] if safe else []
        if unsafe:
            parts.append(f"{unsafe}{' more' if safe else ''} with --fix --unsafe-fixes")
        return "; " + ", ".join(parts) + "." if parts else "."

    def _aside(self) -> str:
        report = self._report
        parts = [
            f"{report.suppressed} suppressed by comments" if report.suppressed else "",
            f"{report.known} known to the baseline" if report.known else "",
            f"{plural(report.stale, 'entry')} of the baseline found no more" if report.stale else "",
            f"{plural(len(report.errors), 'file')} could not be read" if report.errors else "",
        ]
        said = "; ".join(part for part in parts if part)
        return f"{said[0].upper()}{said[1:]}." if said else ""

    def _finding(self, finding: Finding) -> Iterator[str]:
        mark = "[*] " if self._page.fixable(finding) else ""
        head = f"{finding.severity}[{finding.rule}]"
        message = self._filled(f"{head}: {mark}{printable(finding.message)}", "", "  ")
        yield self._paint(head, _COLORS[finding.severity]) + self._paint(message[0][len(head) :], "1")
        yield from (self._paint(line, "1") for line in message[1:])
        yield f"{'':{self._gutter}}{self._paint('-->', '1;34')} {self._place(finding.location)}"
        yield from self._source(finding.location, _COLORS[finding.severity])
        for related in finding.related[:_RELATED_SHOWN]:
            yield from self._related(related)
        if len(finding.related) > _RELATED_SHOWN:
            yield from self._note("and", f"{len(finding.related) - _RELATED_SHOWN} more (--format json has them)")
        if finding.suggestion:
            yield from self._note("help", finding.suggestion)
        if finding.fix is not None:
            option = "" if finding.fix.safe else ", with --unsafe-fixes"
            yield from self._note("fix", f"{finding.fix.description}{option}")

    def _place(self, location: Location) -> str:
        line, column = position(location)
        return _keep_end(
            printable(f"{self._page.shown(location.path)}:{line}:{column}"), self._width - self._gutter - 4
        )

    def _source(self, location: Location, color: str) -> Iterator[str]:
        span = location.span
        line = self._page.line(location.path, span.line) if span else None
        if span is None or line is None:
            return
        several = span.end_line > span.line
        before, marked, after = _parts(line, span.column, None if several else span.end_column)
        room = max(self._width - self._gutter - 3, 10)
        before, marked, after = _fitted(before, marked, after, room)
        caret = "^" * max(_columns(marked), 1)
        until = f" … to line {span.end_line}" if several else ""
        if _columns(before) + len(caret) + len(until) > room:
            until = ""
        bar = self._paint("|", "1;34")
        yield f"{'':{self._gutter}} {bar}"
        yield f"{self._paint(f'{span.line:{self._gutter}}', '1;34')} {bar} {before}{marked}{after}".rstrip()
        yield f"{'':{self._gutter}} {bar} {' ' * _columns(before)}{self._paint(caret + until, color)}"

    def _related(self, related: Related) -> Iterator[str]:
        location = related.location
        line = self._page.line(location.path, location.span.line) if location.span else None
        yield from self._note("see", f"{self._place(location)}: {related.message}")
        if line is not None and line.strip():
            indent = self._gutter + 8
            yield " " * indent + self._paint(_cut(printable(line.strip()), self._width - indent), "2")

    def _note(self, label: str, text: str) -> Iterator[str]:
        lead = f"{'':{self._gutter}} = {label}: "
        rest = " " * len(lead)
        first = True
        for part in text.rstrip("\n").split("\n"):
            indent = rest + part[: len(part) - len(part.lstrip())]
            for line in self._filled(printable(part), rest, indent) or [""]:
                if first:
                    start = f"{'':{self._gutter}} {self._paint('=', '1;34')} {self._paint(label, '1')}: "
                    yield start + line[len(rest) :]
                    first = False
                else:
                    yield line

    def _filled(self, text: str, first: str = "", rest: str = "") -> list[str]:
        return wrap(text, self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text


def _parts(line: str, column: int, end: int | None) -> tuple[str, str, str]:
    """What stands before the marked text, the text, and what stands behind it, as a terminal can show them."""
    start = min(column - 1, len(line))
    stop = len(line) if end is None else min(max(end - 1, start), len(line))
    if end is None:
        stop = max(len(line.rstrip().removesuffix("\\").rstrip()), start)
    return _shown(line[:start]), _shown(line[start:stop]), _shown(line[stop:])


def _shown(text: str) -> str:
    return printable(text.replace("\t", _TAB))


def _fitted(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    """The three with `…` where the line is too long; the marked text is kept as far as there is room."""
    if _columns(before + marked + after) <= room:
        return before, marked, after
    if _columns(before) > room // 3:
        before = "…" + _tail(before, room // 3 - 1)
    left = room - _columns(before)
    if _columns(marked) > left:
        return before, _head(marked, left - 1) + "…", ""
    left -= _columns(marked)
    return before, marked, _head(after, left - 1) + "…" if _columns(after) > left else after


def _head(text: str, columns: int) -> str:
    kept = ""
    for char in text:
        columns -= _columns(char)
        if columns < 0:
            break
        kept += char
    return kept


def _tail(text: str, columns: int) -> str:
    return _head(text[::-1], columns)[::-1]


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def _cut(text: str, columns: int) -> str:
    return text if _columns(text) <= columns else _head(text, max(columns - 1, 0)) + "…"


def _keep_end(text: str, columns: int) -> str:
    return text if _columns(text) <= columns else "…" + _tail(text, max(columns - 1, 1))
