"""The points of the frontier, out of what was drafted for the whole fleet."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.model.plan import Point
from memlint.model.report import Totals
from memlint.model.units import human_size
from memlint.planner.choice import STRICT, UNION
from memlint.planner.draft import Draft, Part


def point_of(draft: Draft, budget: int | None, before: Totals) -> tuple[Draft, Point]:
    """A point of the frontier, of the draft for it."""
    name = (
        STRICT
        if budget == 0
        else UNION
        if budget is None
        else f"budget-{human_size(budget).replace('.0 ', '').replace(' ', '')}"
    )
    after = draft.totals if draft.changed else before
    return draft, Point(
        name=name,
        max_extra_bytes=budget,
        page_cache_bytes=after.page_cache_bytes,
        distinct_bytes=after.distinct_bytes,
        duplicate_bytes=after.duplicate_bytes,
        extra_bytes=draft.extra(),
        pull_bytes=draft.pulled,
        bases=draft.base_count,
        unsized=draft.unsized(),
    )


def distinct(points: Sequence[tuple[Draft, Point]]) -> list[tuple[Draft, Point]]:
    """Without budgets that gain nothing over the point before."""
    found: list[tuple[Draft, Point]] = []
    for draft, point in points:
        inner = point.name not in (STRICT, UNION)
        if not (inner and found[-1][1].page_cache_bytes == point.page_cache_bytes):
            found.append((draft, point))
    return found


def optimum(parts: Sequence[Part], strict: Draft) -> int | None:
    """The page cache of the best strict plan without limits, where it is known for all groups."""
    best = strict.totals.page_cache_bytes
    changed = {id(case) for case, _ in strict.changed}
    for part in parts:
        if part.frontier.optimum is None:
            return None
        if id(part.case) in changed:
            best -= part.frontier.solutions[0].page_cache - part.frontier.optimum
        else:
            best -= max(part.before - part.frontier.optimum, 0)
    return best
