"""Nodes → Markdown for a comment, or for a job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.model.nodes import Nodes, NodesDuplicate
from memlint.report.findings.markdown import inline_code, plain
from memlint.report.nodes.words import DUPLICATE, FIGURES, NODE, cells, headline, listed, more, sums


def to_markdown(nodes: Nodes, *, top: int) -> str:
    """Tables; at most `top` duplicates are listed."""
    totals = [plain(sums(nodes.totals))] if nodes.totals is not None else []
    parts = [
        ["### memlint nodes", "", plain(headline(nodes)), *totals],
        _rows(NODE, len(FIGURES), [[inline_code(row[0]), *map(plain, row[1:])] for row in map(cells, nodes.nodes)]),
        [f"- ⚠️ {plain(warning)}" for warning in nodes.warnings],
        _rows(DUPLICATE, 0, [_marked(each) for each in nodes.duplicates[:top]]) if nodes.duplicates else [],
        [more(nodes, top)] if len(nodes.duplicates) > top else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _marked(duplicate: NodesDuplicate) -> list[str]:
    size, count, frames, path, package = listed(duplicate)
    return [size, count, frames, inline_code(path), plain(package)]


def _rows(headings: Sequence[str], right: int, rows: Sequence[Sequence[str]]) -> list[str]:
    left = len(headings) - right
    lines = [f"| {' | '.join(headings)} |", "|" + "---|" * left + "--:|" * right]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]
