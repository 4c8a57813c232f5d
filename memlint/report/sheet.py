"""Lines and tables on one terminal, of texts by strangers that may be too long."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from memlint.report.terminal import Terminal, console_for

FIGURES = "<><><>>"
"""How the columns of a line of totals are aligned: a word before each figure but the last, which is the ratio."""


class Sheet:
    """What is written on it comes out as text no line of which is wider than the terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self.width = terminal.width
        self._out = io.StringIO()
        self._console = console_for(terminal, self._out)

    def text(self) -> str:
        """All of it, without spaces at the ends of lines."""
        return "".join(line.rstrip() + "\n" for line in self._out.getvalue().split("\n")[:-1])

    def line(self, text: Text | str = "", indent: int = 0) -> None:
        """One line, cut where the terminal ends."""
        line = Text(" " * indent).append_text(text if isinstance(text, Text) else Text(text))
        line.truncate(self.width, overflow="ellipsis")
        self._console.print(line)

    def wrapped(self, text: str, indent: int = 0) -> None:
        """As many lines as it takes; all but the first are indented by two more."""
        for number, line in enumerate(Text(text).wrap(self._console, max(self.width - indent - 2, 20))):
            self.line(line, indent + (2 if number else 0))

    def paragraph(self, text: str) -> None:
        """As many lines as it takes, none of them indented."""
        self._console.print(Text(text))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[Text | str]], right: Sequence[str]) -> None:
        """A table; the columns whose headings are in `right` are aligned to the right. Without headings, none shows."""
        table = _table()
        table.show_header = any(headings)
        for heading in headings:
            table.add_column(heading, justify="right" if heading in right else "left", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def grid(self, rows: Sequence[Sequence[Text | str]], align: str) -> None:
        """Rows without headings; `align` has `<` or `>` for each column. Where a terminal is too narrow, cells wrap."""
        table = _table()
        table.show_header = False
        for side in align:
            table.add_column(justify="right" if side == ">" else "left")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)


def _table() -> Table:
    return Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)


def printable(text: str) -> str:
    """Names come from strangers; nothing in them may steer the terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def cut(text: str, width: int) -> str:
    """A text cut at its end; `width` is in columns, of which some characters take two, or none."""
    if cell_len(text) <= width:
        return text
    ends = accumulate(map(cell_len, text))
    return text[: sum(end <= width - 1 for end in ends)] + "…"


def keep_end(text: str, width: int) -> str:
    """A path cut at its start, between two directories where that loses little."""
    if cell_len(text) <= width:
        return text
    kept = sum(end <= max(width - 1, 1) for end in accumulate(map(cell_len, reversed(text))))
    end = text[len(text) - kept :]
    slash = end.find("/")
    return "…" + (end[slash:] if 0 <= slash < width // 3 else end)
