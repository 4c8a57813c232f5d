"""Which point of the frontier is written: the smallest change that wins nearly all there is to win, and why."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.model.plan import Point
from memlint.model.report import Totals
from memlint.model.units import human_size, percent, plural

STRICT, BALANCED, UNION = "strict", "balanced", "union"
PREFERENCES = (STRICT, BALANCED, UNION)
_ENOUGH = 0.9


def chosen(points: Sequence[Point], before: Totals, prefer: str, *, updating: bool = False) -> tuple[str, str]:
    """The name of the point, and the reason for it. `updating`: union puts images on another build of their base."""
    if prefer in (STRICT, UNION):
        return prefer, f"asked for with --prefer {prefer}"
    most = max(before.page_cache_bytes - point.page_cache_bytes for point in points)
    if most <= 0:
        return points[0].name, "no base saves page cache here"
    for point in points:
        saved = before.page_cache_bytes - point.page_cache_bytes
        if point.name != UNION and saved >= _ENOUGH * most:
            return point.name, _reason(point, saved, most)
    point = max(
        (each for each in points if each.name != UNION),
        key=lambda each: before.page_cache_bytes - each.page_cache_bytes,
    )
    saved = before.page_cache_bytes - point.page_cache_bytes
    takes = "put images on another build of their base" if updating else "give images more than the budgets allow"
    return (
        point.name,
        f"{_reason(point, saved, most)}; the other {human_size(most - saved)} would {takes} (--prefer union)",
    )


def _reason(point: Point, saved: int, most: int) -> str:
    share = f"saves {human_size(saved)}, {percent(saved / most)} of the {human_size(most)} that any point saves"
    if not point.extra_bytes:
        return f"{share}, and no image gets anything new"
    at_least = f" or more: {plural(point.unsized, 'package')} of it do not say their size" if point.unsized else ""
    return f"{share}, for at most {human_size(max(point.extra_bytes.values()))} that an image did not have{at_least}"
