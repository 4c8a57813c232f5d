"""What the place of the output can show."""

from __future__ import annotations

import os
import sys

import msgspec

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

    from rich.console import Console

_FILE_WIDTH = 120


class Terminal(msgspec.Struct, frozen=True):
    """Columns, and whether colours mean anything there."""

    width: int
    color: bool


def console_for(terminal: Terminal, out: IO[str]) -> Console:
    """What lays out tables for that terminal; texts of others are never taken for markup."""
    from rich.console import Console  # its import costs more than all that needs no table

    return Console(
        file=out,
        width=terminal.width,
        force_terminal=terminal.color,
        no_color=not terminal.color,
        color_system="standard" if terminal.color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def terminal_for(output_file: str | None, *, no_color: bool) -> Terminal:
    """The terminal that standard output is, or the plain page that a file is. NO_COLOR and FORCE_COLOR are obeyed."""
    is_terminal = output_file is None and sys.stdout is not None and sys.stdout.isatty()
    width = _columns() if is_terminal or os.environ.get("COLUMNS") else _FILE_WIDTH
    forced = bool(os.environ.get("FORCE_COLOR"))
    refused = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Terminal(max(width, 40), (is_terminal or forced) and not refused)


def _columns() -> int:
    """What COLUMNS says, else the terminal; `shutil` knows it too, at the price of its import."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _FILE_WIDTH
    except (OSError, ValueError):
        return _FILE_WIDTH
