"""The best tree of shared bases there is, by dynamic programming over all subsets of the images."""

from __future__ import annotations

from memlint.planner.problem import Problem, members
from memlint.planner.tree import Node, leaf, over, simplified

IMAGES_MAX = 14
"""Three to the power of the images are the steps: five million."""


def best_tree(problem: Problem) -> Node:
    """The tree that saves most.

    The best tree over a set of images is two best trees over its parts, below what all have in common: a base with
    more children is as good as several of two that hold the same.
    """
    count = len(problem.images)
    everything = (1 << count) - 1
    common = _commons(problem)
    likely = [problem.likely(members(subset)) for subset in range(everything + 1)]
    best = [0.0] * (everything + 1)
    split = [0] * (everything + 1)
    for subset in range(3, everything + 1):
        lowest = subset & -subset
        rest = subset ^ lowest
        if not rest:
            continue
        # all ways to divide it, the part with the lowest image named first
        part, value, way, shared = rest, -1.0, 0, common[subset]
        while part:
            other = subset ^ part
            # the two parts meet on a node where both run; else there is nothing to share
            found = best[part] + best[other] + shared * likely[part] * likely[other]
            if found > value:
                value, way = found, part
            part = (part - 1) & rest
        best[subset] = value
        split[subset] = way
    return simplified(_built(problem, split, everything))


def _commons(problem: Problem) -> list[int]:
    """The weight that each subset of the images has in common."""
    size = 1 << len(problem.images)
    shared = [-1] * size
    weights = [0] * size
    for subset in range(1, size):
        lowest = subset & -subset
        shared[subset] = shared[subset ^ lowest] & problem.images[lowest.bit_length() - 1]
        if subset != lowest:
            weights[subset] = problem.weigh(problem.closed(shared[subset]))
    return weights


def _built(problem: Problem, split: list[int], subset: int) -> Node:
    if not subset & (subset - 1):
        return leaf(problem, subset.bit_length() - 1)
    part = split[subset]
    return over(problem, [_built(problem, split, subset ^ part), _built(problem, split, part)])
