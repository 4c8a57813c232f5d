"""A plan against the images that were built to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import Plan
from memlint.model.plan_check import SCHEMA, Built, Check, CheckedBase, MadeAgain
from memlint.model.report import Totals
from memlint.planner.inventory import differences
from memlint.sharing.view import merge_views

TOLERANCE = 0.1
"""What the saving may fall short of what was predicted: packages are newer by the time of the rebuild."""


def check(
    plan: Plan, built: Built, images: Sequence[Image], indexes: Mapping[DiffID, LayerIndex], now: Totals
) -> Check:
    """`images` are the new ones, in the order of the plan's, and `now` is what a node holds of them."""
    predicted = plan.before.page_cache_bytes - plan.after.page_cache_bytes
    saved = plan.before.page_cache_bytes - now.page_cache_bytes
    new = {image.ref: made for image, made in zip(plan.images, images, strict=True)}
    bases = []
    for base in plan.bases:
        chains = [[layer.chain_id for layer in new[ref].layers] for ref in base.images if ref in new]
        shared = sum(len(set(chain)) == 1 for chain in zip(*chains, strict=False))
        bases.append(CheckedBase(base.name, base.images, shared, shared >= _layers(plan, base.name)))
    packages = None if built.inventory is None else tuple(differences(plan, built.inventory, new, indexes))
    enough = saved >= predicted * (1 - TOLERANCE) and all(base.met for base in bases)
    return Check(
        schema=SCHEMA,
        basis=built.basis,
        storage=plan.storage,
        images=len(images),
        before=plan.before,
        predicted=plan.after,
        now=now,
        predicted_saved_bytes=predicted,
        saved_bytes=saved,
        bases=tuple(bases),
        met=enough and not any(image.lost for image in packages or ()),
        packages=packages,
        again=tuple(_made_again(plan, bases, new, indexes, built.kinds)),
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


def _made_again(
    plan: Plan,
    bases: Sequence[CheckedBase],
    new: Mapping[str, Image],
    indexes: Mapping[DiffID, LayerIndex],
    kinds: Collection[str],
) -> Iterator[MadeAgain]:
    """What the bases have and images on them have once more in layers of their own, the most first."""
    views = merge_views(new.values(), indexes)
    found: list[MadeAgain] = []
    for base, checked in zip(plan.bases, bases, strict=True):
        packages = {(each.type, each.name) for each in base.packages}
        places = {path.lstrip("/"): group.directory for group in base.files for path in group.paths}
        for ref in base.images if checked.met else ():
            sizes: defaultdict[str, int] = defaultdict(int)
            image = new[ref]
            for path, file in views[image.layers[-1].chain_id].files() if image.layers else ():
                what = places.get(path)
                if file.package is not None and (file.package.type, file.package.name) in packages:
                    what = file.package.name
                if what is not None and file.layer >= checked.shared_layers and file.file.kind in kinds:
                    sizes[what] += file.file.mappable_bytes
            found += (MadeAgain(base.name, ref, what, size) for what, size in sizes.items() if size)
    yield from sorted(found, key=lambda each: (-each.bytes, each.image, each.what))
