"""Groups of images with their solutions: a frontier for each way to do it, within the limits of the whole plan."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.planner.account import counted
from memlint.planner.atoms import Case, case_of
from memlint.planner.draft import Drafting, Options, Part
from memlint.planner.former import Known, former_tree
from memlint.planner.frontier import Frontier, Solution, solve
from memlint.planner.grounds import Group
from memlint.planner.layout import Layout
from memlint.planner.tree import Limits

LAYERS_MAX = 125
"""What Docker's overlay2 takes; a base brings three layers at the most: packages, packages of a language, files."""
_LAYERS_OF_BASE = 3


def part_of(group: Group, budgets: Sequence[int | None], drafted: Drafting) -> Part:
    """A group with its solutions for these budgets."""
    options, measure = drafted.options, drafted.measure
    case = case_of(group, drafted.made, measure)
    before = counted([drafted.now_is[each.number] for each in group.members], measure)
    return Part(case, _solved(case, budgets, options, options.max_bases), before.page_cache_bytes)


def _solved(case: Case, budgets: Sequence[int | None], options: Options, bases: int | None) -> tuple[Frontier, ...]:
    """The ways for a group. Where its ground is several chains, one base may make them one, or each may stay."""
    group = case.group
    room = LAYERS_MAX - max(len(member.image.layers) for member in group.members)
    depth = max(room // _LAYERS_OF_BASE - (1 if group.drifted else 0), 0)
    former = former_tree(case.problem, group.members, Known(options.former)) if options.former is not None else None
    frontier = solve(case.problem, budgets, Limits(bases, options.min_saving, depth), former)
    if not group.drifted or (bases == 0 and not group.updates):
        return (frontier,)
    fewer = frontier
    if bases is not None:
        fewer = solve(case.problem, budgets, Limits(bases - 1, options.min_saving, depth), former)
    one = Frontier(tuple(_on_one_ground(case, each) for each in fewer.solutions), fewer.optimum)
    return (one,) if group.updates else (one, frontier)


def _on_one_ground(case: Case, solution: Solution) -> Solution:
    """Where the ground is several chains, all images need a base that makes it one; a lone lowest base does that."""
    layout = solution.layout
    if layout.parents.count(-1) == 1 and -1 not in layout.base_of:
        return solution
    parents = [-1, *(parent + 1 for parent in layout.parents)]
    carries = [case.problem.ground, *layout.carries]
    return Solution(
        solution.budget, Layout(parents, carries, [base + 1 for base in layout.base_of]), solution.page_cache
    )


def within(parts: Sequence[Part], budgets: Sequence[int | None], options: Options) -> list[Part]:
    """The parts with no more bases than wanted in all: each further base goes to the group that it saves most in."""
    limit = options.max_bases
    most = [
        max((len(each.layout.parents) for way in part.frontiers for each in way.solutions), default=0) for part in parts
    ]
    if limit is None or sum(most) <= limit:
        return list(parts)
    ways = [
        [_solved(part.case, budgets, options, count) for count in range(min(limit, have) + 1)]
        for part, have in zip(parts, most, strict=True)
    ]
    given = [0] * len(parts)
    for _ in range(limit):
        gains = [
            (way[have][-1].solutions[0].page_cache - way[have + 1][-1].solutions[0].page_cache, -number)
            for number, (way, have) in enumerate(zip(ways, given, strict=True))
            if have + 1 < len(way)
        ]
        if not gains:
            break
        given[-max(gains)[1]] += 1
    return [Part(part.case, way[count], part.before) for part, way, count in zip(parts, ways, given, strict=True)]
