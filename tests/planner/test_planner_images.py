"""Plans of whole fleets of images: what is built to them is what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from support.fleets import loaded
from support.planning import Fleet, page_cache

from memlint.model.digest import ContentID, DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.sharing.view import merge_views

Files = dict[str, ContentID]
SEEDS = range(120)


def shown(
    before: list[Image], after: list[Image], indexes: Mapping[DiffID, LayerIndex]
) -> Iterator[tuple[Files, Files]]:
    """What each image shows before and after: content by path."""
    views = merge_views([*before, *after], indexes)
    for pair in zip(before, after, strict=True):
        one, other = (
            {path: file.file.content for path, file in views[image.layers[-1].chain_id].files()} for image in pair
        )
        yield one, other


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_built_saves_what_the_plan_says(seed: int) -> None:
    fleet = Fleet(seed)
    for prefer in ("strict", "union"):
        plan = fleet.plan(prefer=prefer, min_saving=1, budgets=(1_000_000,))
        images, indexes = loaded(*fleet.built(plan))
        assert plan.before.page_cache_bytes == page_cache(fleet.images, fleet.indexes)
        assert plan.after.page_cache_bytes == page_cache(images, indexes)
        chosen = next(point for point in plan.points if point.name == plan.chosen)
        assert chosen.page_cache_bytes == plan.after.page_cache_bytes
        assert plan.after.page_cache_bytes <= plan.before.page_cache_bytes


@pytest.mark.parametrize("seed", SEEDS)
def test_strict_neither_loses_nor_changes_a_file(seed: int) -> None:
    fleet = Fleet(seed)
    plan = fleet.plan(prefer="strict", min_saving=1)
    images, indexes = loaded(*fleet.built(plan))
    for before, after in shown(fleet.images, images, {**indexes, **fleet.indexes}):
        assert before == after
    assert all(image.extra_bytes == 0 for image in plan.images)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_than_strict_loses_nothing_and_keeps_its_budget(seed: int) -> None:
    fleet = Fleet(seed)
    plan = fleet.plan(prefer="union", min_saving=1, budgets=(500_000, 2_000_000))
    images, indexes = loaded(*fleet.built(plan))
    for before, after in shown(fleet.images, images, {**indexes, **fleet.indexes}):
        assert before.items() <= after.items()
    sizes = [point.page_cache_bytes for point in plan.points]
    assert sizes == sorted(sizes, reverse=True)
    for point in plan.points:
        assert point.max_extra_bytes is None or all(
            extra <= point.max_extra_bytes for extra in point.extra_bytes.values()
        )


@pytest.mark.parametrize("seed", range(40))
def test_limits_hold(seed: int) -> None:
    fleet = Fleet(seed)
    for most in (1, 2):
        plan = fleet.plan(max_bases=most, min_saving=1)
        assert len(plan.bases) <= most
        assert all(point.bases <= most for point in plan.points)
        images, indexes = loaded(*fleet.built(plan))
        assert plan.after.page_cache_bytes == page_cache(images, indexes)


@pytest.mark.parametrize("seed", range(40))
def test_bases_serve_two_and_add_up(seed: int) -> None:
    fleet = Fleet(seed)
    plan = fleet.plan(min_saving=1)
    names = {base.name for base in plan.bases}
    assert len(names) == len(plan.bases)
    for base in plan.bases:
        assert len(base.images) > 1
        assert base.parent is None or base.parent in names
        assert sum(base.causes.values()) == base.page_cache_saved_bytes
    saved = plan.before.page_cache_bytes - plan.after.page_cache_bytes
    assert sum(base.page_cache_saved_bytes for base in plan.bases) >= saved
    assert sum(each.duplicate_bytes for image in plan.images for each in image.remaining) == plan.after.duplicate_bytes
