"""What became of a plan, for people and for programs."""

from __future__ import annotations

from memlint.model.plan_check import Check
from memlint.model.report import Totals
from memlint.model.units import human_size, percent, plural


def to_text(check: Check) -> str:
    """A table of before, predicted and now, and the bases."""
    reached = (
        f" ({percent(check.saved_bytes / check.predicted_saved_bytes)})" if check.predicted_saved_bytes > 0 else ""
    )
    lines = [
        f"{plural(check.images, 'image')} built to the plan, on {check.storage}.  Potential ({check.basis}):",
        "",
        "            page cache    distinct   duplicate",
        _row("before", check.before),
        _row("predicted", check.predicted),
        _row("now", check.now),
        "",
        f"saved {human_size(check.saved_bytes)} of {human_size(check.predicted_saved_bytes)} predicted{reached}",
    ]
    lines += [
        f"{base.name}: its {plural(len(base.images), 'image')} share {plural(base.shared_layers, 'layer')},"
        f" {'as planned' if base.met else 'fewer than planned: not all were built on one build of it'}"
        for base in check.bases
    ]
    return "\n".join([*lines, ""])


def _row(name: str, totals: Totals) -> str:
    sizes = (totals.page_cache_bytes, totals.distinct_bytes, totals.duplicate_bytes)
    return f"{name:<10}" + "".join(f"{human_size(size):>12}" for size in sizes)
