"""Nodes → a page for people."""

from __future__ import annotations

from memlint.model.nodes import Nodes
from memlint.report.nodes.words import DUPLICATE, FIGURES, NODE, cells, headline, listed, more, sums
from memlint.report.sheet import Sheet, cut, keep_end, printable
from memlint.report.terminal import Terminal

_WIDE = 100
"""Columns from which on the kernel and what a store shares by have columns of their own."""


def to_text(nodes: Nodes, terminal: Terminal, *, top: int) -> str:
    """The page; at most `top` duplicates are listed."""
    sheet = Sheet(terminal)
    sheet.wrapped(headline(nodes))
    if nodes.totals is not None:
        sheet.line()
        sheet.wrapped(sums(nodes.totals))
    sheet.line()
    _node_table(sheet, nodes)
    if nodes.warnings:
        sheet.line()
    for warning in nodes.warnings:
        sheet.wrapped(f"! {printable(warning)}")
    if nodes.duplicates:
        _duplicate_table(sheet, nodes, top)
    return sheet.text()


def _node_table(sheet: Sheet, nodes: Nodes) -> None:
    shown = range(len(NODE)) if sheet.width >= _WIDE else (0, 2, 5, 6)
    names = max((sheet.width - 55) // 3, 12)
    rows = [
        [
            cut(printable(cell), names) if at in (0, 2) else cut(printable(cell), 18)
            for at, cell in enumerate(cells(node))
        ]
        for node in nodes.nodes
    ]
    sheet.table([NODE[at] for at in shown], [[row[at] for at in shown] for row in rows], FIGURES)


def _duplicate_table(sheet: Sheet, nodes: Nodes, top: int) -> None:
    shown = (0, 1, 2, 3, 4) if sheet.width >= 60 else (0, 1, 3)
    room = max(sheet.width - sum(len(DUPLICATE[at]) + 2 for at in shown if at < 3), 12)
    files = max(room * 2 // 3, 8) if 4 in shown else room
    rows = []
    for each in nodes.duplicates[:top]:
        size, count, frames, path, package = listed(each)
        row = [size, count, frames, keep_end(printable(path), files), cut(printable(package), room - files - 2)]
        rows.append([row[at] for at in shown])
    sheet.line()
    sheet.table([DUPLICATE[at] for at in shown], rows, DUPLICATE[:3])
    if len(nodes.duplicates) > top:
        sheet.line(more(nodes, top), indent=2)
