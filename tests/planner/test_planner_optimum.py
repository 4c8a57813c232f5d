"""Trees of shared bases against what is right by definition, and good ones against the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from support.problems import plain, tangled

from memlint.planner.exact import best_tree
from memlint.planner.frontier import strict_tree
from memlint.planner.heuristic import good_tree
from memlint.planner.problem import Problem, condensed
from memlint.planner.tree import Limits, limited, saving, walk

FLEETS = 1000
NEAR = 0.98


def partitions(images: Sequence[int]) -> Iterator[list[list[int]]]:
    """All ways to divide them into parts."""
    if not images:
        yield []
        return
    first, *rest = images
    for parts in partitions(rest):
        yield [[first], *parts]
        for number in range(len(parts)):
            yield [*parts[:number], [first, *parts[number]], *parts[number + 1 :]]


def best_by_trying(problem: Problem, images: Sequence[int]) -> int:
    """The saving of the best tree over these images, of all that there are."""
    if len(images) == 1:
        return 0
    common = problem.weigh(problem.common(images))
    return max(
        (len(parts) - 1) * common + sum(best_by_trying(problem, part) for part in parts)
        for parts in partitions(images)
        if len(parts) > 1
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_best_is_the_best_of_all(seed: int) -> None:
    for problem in (plain(seed, 5, 8), tangled(seed, 5, 8)):
        tree = best_tree(problem)
        assert saving(problem, tree) == best_by_trying(problem, range(len(problem.images)))


@pytest.mark.parametrize("seed", range(100))
def test_fewer_atoms_ask_the_same(seed: int) -> None:
    for problem in (plain(seed, 9), tangled(seed, 9)):
        small = condensed(problem)
        assert len(small.atoms) <= len(problem.atoms)
        assert saving(small, best_tree(small)) == saving(problem, best_tree(problem))


@pytest.mark.parametrize("start", range(0, FLEETS, 50))
def test_a_good_tree_is_nearly_the_best(start: int) -> None:
    for seed in range(start, start + 50):
        problem = condensed(plain(seed))
        best, good = (saving(problem, find(problem)) for find in (best_tree, good_tree))
        assert NEAR * best <= good <= best, seed


@pytest.mark.parametrize("seed", range(100))
def test_images_keep_their_place(seed: int) -> None:
    problem = tangled(seed, 20)
    tree, _ = strict_tree(problem)
    leaves = sorted(node.images[0] for node in walk(tree) if not node.is_base)
    assert leaves == list(range(len(problem.images)))
    for node in walk(tree):
        for child in node.children:
            assert node.common & ~child.common == 0
            assert set(child.images) <= set(node.images)


@pytest.mark.parametrize("seed", range(60))
def test_limits_hold(seed: int) -> None:
    problem = plain(seed, 12)
    tree, _ = strict_tree(problem)
    for limits in (Limits(bases=2), Limits(saving=5_000_000), Limits(depth=1), Limits(bases=0)):
        cut = limited(problem, tree, limits)
        bases = [node for node in walk(cut) if node.is_base and node is not cut]
        assert limits.bases is None or len(bases) <= limits.bases
        assert limits.depth is None or all(not any(child.is_base for child in base.children) for base in bases)
        assert sorted(cut.images) == list(range(len(problem.images)))
        assert saving(problem, cut) <= saving(problem, tree)
        assert all(len(base.images) > 1 for base in bases)
