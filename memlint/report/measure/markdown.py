"""Measurement → Markdown for a comment on a pull request, or for a job's summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memlint.model.measure import MeasuredDuplicate, Measurement
from memlint.model.units import human_size, percent
from memlint.report.findings.markdown import inline_code, plain
from memlint.report.measure.rows import FIGURES, Row, grid, headings
from memlint.report.measure.words import cost, headline, store, unseen


def to_markdown(measurement: Measurement, *, top: int, by: str, sort: str) -> str:
    """Tables of at most `top` lines. `by` and `sort` are of `memlint.model.vocabulary`."""
    parts = [
        _head(measurement),
        _grid(measurement, by, sort, top) if by != "file" else [],
        _duplicates(measurement.duplicates, top),
        [f"- {plain(store(each))}" for each in measurement.stores],
        [f"- ⚠️ {plain(warning)}" for each in measurement.stores for warning in each.warnings],
        _unseen(measurement),
        [plain(cost(measurement))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(measurement: Measurement) -> list[str]:
    totals = measurement.totals
    if totals is None or not measurement.processes:
        return ["### memlint measure", "", plain(headline(measurement))]
    duplicate, pages = human_size(totals.duplicate_bytes), human_size(totals.file_pages_bytes)
    distinct, efficiency = human_size(totals.distinct_bytes), percent(totals.efficiency)
    sums = f"file pages **{pages}** = distinct {distinct} + duplicate **{duplicate}**, sharing efficiency {efficiency}"
    return [
        f"### memlint measure: {duplicate} of {pages} file pages are duplicates",
        "",
        plain(headline(measurement)),
        "",
        sums,
    ]


def _grid(measurement: Measurement, by: str, sort: str, top: int) -> list[str]:
    table = grid(measurement, by, sort)
    if not table.rows:
        return []
    figures = headings(table.rows)
    shown = [FIGURES.index(name) for name in figures]
    return [
        *_headed(table.headings, figures),
        *(_row(row, shown) for row in (*table.rows[:top], *([table.total] if table.total else []))),
        *_more(len(table.rows) - top),
    ]


def _headed(left: Sequence[str], right: Sequence[str]) -> list[str]:
    return [f"| {' | '.join([*left, *right])} |", "|" + "---|" * len(left) + "--:|" * len(right)]


def _row(row: Row, shown: Sequence[int]) -> str:
    names = [inline_code(name) if name else "" for name in row.names]
    sizes = ["–" if row.figures[at] is None else human_size(row.figures[at] or 0) for at in shown]
    return f"| {' | '.join([*names, *sizes])} |"


def _duplicates(found: Sequence[MeasuredDuplicate], top: int) -> list[str]:
    if not found:
        return []
    return [*_headed(("file", "mapped by"), ("duplicate", "copies")), *_files(found[:top]), *_more(len(found) - top)]


def _files(found: Sequence[MeasuredDuplicate]) -> Iterator[str]:
    for each in found:
        holders = dict.fromkeys(place.name or place.container[:12] for place in each.placements)
        names = ", ".join(inline_code(name) for name in holders if name)
        size = human_size(each.duplicate_bytes)
        yield f"| {inline_code(each.placements[0].path)} | {names} | {size} | {each.copies} |"


def _unseen(measurement: Measurement) -> list[str]:
    return ["Not seen:", "", *(f"- {plain(line)}" for line in unseen(measurement))] if measurement.unseen else []


def _more(rest: int) -> list[str]:
    return ["", f"… and {rest} more"] if rest > 0 else []
