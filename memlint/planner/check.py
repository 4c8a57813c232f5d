"""A plan against the images that were built to it."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.model.image import Image
from memlint.model.plan import Plan
from memlint.model.plan_check import SCHEMA, Check, CheckedBase
from memlint.model.report import Totals

TOLERANCE = 0.1
"""What the saving may fall short of what was predicted: packages are newer by the time of the rebuild."""


def check(plan: Plan, images: Sequence[Image], now: Totals, basis: str) -> Check:
    """`images` are the new ones, in the order of the plan's, and `now` is what a node holds of them."""
    predicted = plan.before.page_cache_bytes - plan.after.page_cache_bytes
    saved = plan.before.page_cache_bytes - now.page_cache_bytes
    new = {image.ref: made for image, made in zip(plan.images, images, strict=True)}
    bases = []
    for base in plan.bases:
        chains = [[layer.chain_id for layer in new[ref].layers] for ref in base.images if ref in new]
        shared = sum(len(set(chain)) == 1 for chain in zip(*chains, strict=False))
        bases.append(CheckedBase(base.name, base.images, shared, shared >= _layers(plan, base.name)))
    met = saved >= predicted * (1 - TOLERANCE) and all(base.met for base in bases)
    return Check(
        schema=SCHEMA,
        basis=basis,
        storage=plan.storage,
        images=len(images),
        before=plan.before,
        predicted=plan.after,
        now=now,
        predicted_saved_bytes=predicted,
        saved_bytes=saved,
        bases=tuple(bases),
        met=met,
    )


def _layers(plan: Plan, name: str) -> int:
    """How many layers a base has at least: one of its origin, and one for each base on the way that adds something."""
    by_name = {base.name: base for base in plan.bases}
    count, base = 1, by_name[name]
    while True:
        count += bool(base.packages or base.files)
        if base.parent is None:
            return count
        base = by_name[base.parent]
