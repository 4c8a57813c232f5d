"""The packages of images before and after they are built to a plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex, Package
from memlint.model.plan import Plan
from memlint.model.plan_check import CheckedImage, Inventory, OtherVersion
from memlint.sharing.packages import packages_of

Versions = Mapping[tuple[str, str], set[str]]
"""By type and name."""


def inventory_of(images: Sequence[Image], indexes: Mapping[DiffID, LayerIndex]) -> Inventory:
    """What the images have, for a check that comes when they are gone."""
    numbers: dict[Package, int] = {}
    sets: dict[tuple[int, ...], int] = {}
    held: dict[str, int] = {}
    for image in images:
        own = {each.package for each in packages_of(image, indexes)}
        key = tuple(sorted(numbers.setdefault(package, len(numbers)) for package in sorted(own)))
        held[image.ref] = sets.setdefault(key, len(sets))
    return Inventory(tuple(numbers), tuple(sets), held)


def differences(
    plan: Plan, inventory: Inventory, new: Mapping[str, Image], indexes: Mapping[DiffID, LayerIndex]
) -> Iterator[CheckedImage]:
    """The images whose packages are others than they were; `new` are those by the references of the old ones."""
    for planned in plan.images:
        if planned.ref not in inventory.images or planned.ref not in new:
            continue
        own = inventory.sets[inventory.images[planned.ref]]
        before = _versions(inventory.packages[number] for number in own)
        after = _versions(each.package for each in packages_of(new[planned.ref], indexes))
        carried = set(_carried(plan, planned.base))
        lost = tuple(_packages(before, before.keys() - after.keys()))
        more = tuple(_packages(after, after.keys() - before.keys() - carried))
        changed = tuple(
            OtherVersion(*key, tuple(sorted(before[key])), tuple(sorted(after[key])))
            for key in sorted(before.keys() & after.keys())
            if before[key] != after[key]
        )
        if lost or changed or more:
            yield CheckedImage(planned.ref, lost, changed, more)


def _versions(packages: Iterable[Package]) -> Versions:
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in packages:
        found[each.type, each.name].add(each.version)
    return found


def _packages(versions: Versions, keys: Iterable[tuple[str, str]]) -> Iterator[Package]:
    return (Package(name, version, kind) for kind, name in sorted(keys) for version in sorted(versions[kind, name]))


def _carried(plan: Plan, base: str | None) -> Iterator[tuple[str, str]]:
    """What a base and those below it have."""
    bases = {each.name: each for each in plan.bases}
    while base is not None and base in bases:
        yield from ((each.type, each.name) for each in bases[base].packages)
        base = bases[base].parent
