"""Numbers and names for people."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def human_size(count: int) -> str:
    """Decimal units with three significant digits at least: 512 B, 71.2 MB, 1.5 GB."""
    value = float(count)
    for unit in _UNITS:
        if abs(value) < 999.95 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit takes everything")


def percent(ratio: float) -> str:
    """Whole percent, rounded down: 100 % means all of it."""
    return f"{int(ratio * 100)} %"


def plural(count: int, noun: str) -> str:
    """`1 image`, `3 images`, `2 copies`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


def enumerated(names: Sequence[str], most: int = 3) -> str:
    """The first of them, and how many more there are: `a, b, c and 2 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
