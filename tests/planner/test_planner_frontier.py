"""What holds for every point of the frontier, whatever the fleet."""

from __future__ import annotations

from functools import reduce
from operator import or_

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.problems import plain, tangled

from memlint.planner.frontier import Frontier, solve
from memlint.planner.layout import Layout, extra, page_cache
from memlint.planner.problem import Problem, members
from memlint.planner.tree import Limits

BUDGETS = (0, 5_000_000, 20_000_000, None)


def inodes(problem: Problem, layout: Layout) -> int:
    """The page cache, counted file by file: each base's own, each image's own, the ground's once."""
    found: set[tuple[str, int, int]] = set()
    for image, atoms in enumerate(problem.images):
        bases = layout.path(layout.base_of[image])[::-1]
        for atom in members(atoms):
            lowest = next((base for base in bases if layout.carries[base] >> atom & 1), None)
            if problem.ground >> atom & 1:
                found.add(("ground", 0, atom))
            elif lowest is not None:
                found.add(("base", lowest, atom))
            else:
                found.add(("image", image, atom))
    return sum(problem.atoms[atom].weight for _, _, atom in found)


def saved(problem: Problem, layout: Layout, base: int) -> int:
    """What the images would hold more without the base, whose own atoms would lie in all that stands on it."""
    numbers = {-1: -1} | {each: each - (each > base) for each in range(len(layout.parents))}
    numbers[base] = numbers[layout.parents[base]]
    kept = [each for each in range(len(layout.parents)) if each != base]
    parents, carries = [numbers[layout.parents[each]] for each in kept], [layout.carries[each] for each in kept]
    return inodes(problem, Layout(parents, carries, [numbers[each] for each in layout.base_of])) - inodes(
        problem, layout
    )


def check(problem: Problem, frontier: Frontier, limits: Limits) -> None:
    before = None
    for solution in frontier.solutions:
        layout = solution.layout
        assert solution.page_cache == page_cache(problem, layout) == inodes(problem, layout)
        assert solution.page_cache >= problem.weigh(reduce(or_, problem.images, 0))
        assert before is None or solution.page_cache <= before, "saving grows along the frontier"
        before = solution.page_cache
        assert limits.bases is None or len(layout.parents) <= limits.bases
        for image, atoms in enumerate(problem.images):
            carried = layout.carried(image)
            if solution.budget == 0:
                assert not carried & ~atoms & ~problem.ground, "strict gives nothing new"
            assert solution.budget is None or extra(problem, layout, image) <= solution.budget
            assert not any(problem.atoms[atom].clashes & (carried | atoms) for atom in members(carried))
        for base, parent in enumerate(layout.parents):
            assert parent < base
            assert all(problem.satisfied(atom, layout.carries[base]) for atom in members(layout.carries[base]))
            assert len(layout.under(base)) > 1
            assert saved(problem, layout, base) >= max(limits.saving, 1)
            if parent >= 0:
                assert not layout.carries[parent] & ~layout.carries[base]


@pytest.mark.parametrize("seed", range(150))
def test_every_point_is_sound(seed: int) -> None:
    for problem in (plain(seed, 17), tangled(seed, 17)):
        check(problem, solve(problem, BUDGETS, Limits()), Limits())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 10_000_000))
def test_every_point_keeps_the_limits(seed: int, bases: int, saving: int) -> None:
    problem = tangled(seed)
    limits = Limits(bases, saving, 2)
    check(problem, solve(problem, BUDGETS, limits), limits)


@pytest.mark.parametrize("seed", range(80))
def test_strict_without_limits_is_the_optimum(seed: int) -> None:
    problem = tangled(seed, 10)
    frontier = solve(problem, (0,), Limits())
    assert frontier.optimum is not None
    assert frontier.solutions[0].page_cache <= frontier.optimum


def test_union_of_what_does_not_clash_is_ideal() -> None:
    problem = plain(3)
    union = solve(problem, (0, None), Limits()).solutions[-1]
    assert union.page_cache == problem.weigh(reduce(or_, problem.images, 0))
