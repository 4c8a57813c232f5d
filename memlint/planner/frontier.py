"""The frontier: from bases that give no image anything new, over growing budgets, to one base for all."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from memlint.planner.exact import IMAGES_MAX, best_tree
from memlint.planner.heuristic import good_tree
from memlint.planner.layout import Layout, extra, few_bases, from_tree, page_cache
from memlint.planner.problem import Problem, condensed
from memlint.planner.raising import raised
from memlint.planner.tree import Limits, Node, limited, saving, simplified

KEPT = 0.05
"""Of what bases can save, how much is given up to keep those of a former plan."""


class Solution(msgspec.Struct, frozen=True, eq=False):
    """A group of images with their bases. `budget` is what each image may get that it did not have."""

    budget: int | None
    layout: Layout
    page_cache: int


class Frontier(msgspec.Struct, frozen=True, eq=False):
    """The solutions for each budget; `optimum` is the best page cache of a strict tree, where it is known."""

    solutions: tuple[Solution, ...]
    optimum: int | None


def solve(problem: Problem, budgets: Sequence[int | None], limits: Limits, former: Node | None = None) -> Frontier:
    """The solutions for these budgets, from the smallest on; None is no limit. Each saves as much as the one before.

    The `former` tree is kept where it saves nearly as much as the best.
    """
    tree, exact = strict_tree(problem)
    # images that are alike are one in the search; a tree over all images has the same saving and no more than theirs
    total = sum(problem.weigh(atoms) * present for atoms, present in zip(problem.images, problem.present, strict=True))
    optimum = round(total - saving(problem, tree)) if exact else None
    strict = from_tree(problem, limited(problem, _grounded(problem, tree), limits))
    kept = from_tree(problem, limited(problem, former, limits)) if former is not None else None
    dear = page_cache(problem, Layout([], [], [-1] * len(problem.images)))
    found: list[Solution] = []
    starts = [strict] if limits.bases == 0 else [strict, few_bases(problem)]
    more = [budget for budget in budgets if budget != 0]
    ways = [raised(problem, start, more, limits.saving) for start in starts]
    keeping = [kept, *raised(problem, kept, more, limits.saving)][-len(budgets) :] if kept is not None else []
    for number, budget in enumerate(budgets):
        options = [strict]
        if budget != 0:
            options = [way[number - len(budgets)] for way in ways] + ([found[-1].layout] if found else [])
        fitting = [each for each in options if _fits(problem, each, budget, limits)] or [strict]
        best = min(fitting, key=lambda layout: (page_cache(problem, layout), len(layout.parents)))
        enough = KEPT * (dear - page_cache(problem, best)) + page_cache(problem, best)
        for each in keeping[number : number + 1]:
            # no point saves less than the one before it
            enough = min(enough, found[-1].page_cache) if found else enough
            if _fits(problem, each, budget, limits) and page_cache(problem, each) <= enough:
                best = each
        found.append(Solution(budget, best, page_cache(problem, best)))
    return Frontier(tuple(found), optimum)


def strict_tree(problem: Problem) -> tuple[Node, bool]:
    """The tree that saves most of those found, and whether there is no better one."""
    core = condensed(Problem(problem.atoms, list(problem.images), problem.ground))
    # what one image has alone, it shares with none: images that differ in nothing else are one
    alike: dict[int, list[int]] = {}
    for image, atoms in enumerate(core.images):
        alike.setdefault(atoms, []).append(image)
    first = [images[0] for images in alike.values()]
    present = [problem.likely(images) for images in alike.values()]
    small = Problem(core.atoms, [core.images[image] for image in first], core.ground, present)
    exact = len(first) <= IMAGES_MAX
    tree = best_tree(small) if exact else good_tree(small)
    return simplified(_restored(problem, tree, list(alike.values()))), exact


def _restored(problem: Problem, tree: Node, alike: Sequence[Sequence[int]]) -> Node:
    """The tree over all images, of one over one of each kind."""
    if not tree.children:
        images = alike[tree.images[0]]
        leaves = [Node((image,), problem.images[image], []) for image in images]
        return leaves[0] if len(leaves) == 1 else Node(tuple(images), problem.common(images), leaves)
    children = [_restored(problem, child, alike) for child in tree.children]
    images = tuple(sorted(image for child in children for image in child.images))
    common = children[0].common
    for child in children[1:]:
        common &= child.common
    return Node(images, problem.closed(common), children)


def _grounded(problem: Problem, tree: Node) -> Node:
    """A root that holds the ground alone, and stays when a limit takes bases away."""
    return Node(tree.images, problem.ground, [tree])


def _fits(problem: Problem, layout: Layout, budget: int | None, limits: Limits) -> bool:
    if limits.bases is not None and len(layout.parents) > limits.bases:
        return False
    return budget is None or all(extra(problem, layout, image) <= budget for image in range(len(problem.images)))
