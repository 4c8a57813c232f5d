"""A fleet → its plan: groups of images, a frontier for each, the points of all together, and one that is chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import SCHEMA, Moved, Plan, PlannedImage, Point, Suggestion
from memlint.model.report import Report, Totals
from memlint.model.vocabulary import BY_CHAIN, STORAGE
from memlint.planner.account import counted
from memlint.planner.atoms import Case, case_of
from memlint.planner.choice import chosen
from memlint.planner.draft import Draft, Options, Part
from memlint.planner.former import Known, former_tree, moved, renamed, with_names
from memlint.planner.frontier import Frontier, Solution, solve
from memlint.planner.grounds import Group, Member, grouped, led
from memlint.planner.layout import Layout
from memlint.planner.leaving import cut, left_out, notes, nothing_helps, without
from memlint.planner.measure import Basis, Measure, presence
from memlint.planner.points import distinct, optimum, point_of
from memlint.planner.stability import Lives, lives_of
from memlint.planner.suggestions import suggestions
from memlint.planner.tree import Limits
from memlint.sharing.causes import Causes
from memlint.sharing.fleet import compare_images
from memlint.sharing.storage import StorageModel

LAYERS_MAX = 125
"""What Docker's overlay2 takes; a base brings three layers at the most: packages, packages of a language, files."""
_LAYERS_OF_BASE = 3


def plan_images(
    images: Sequence[Image],
    replicas: Sequence[int],
    indexes: Mapping[DiffID, LayerIndex],
    storage: StorageModel,
    kinds: Collection[str],
    options: Options,
    prepared: Sequence[Image] | None = None,
) -> Plan:
    """The plan for a fleet on one node.

    `prepared` are the images without the layers that a rewrite of their Dockerfiles takes away, where there are any.
    """
    report = compare_images(images, replicas, indexes, storage, kinds)
    measure = Measure(options.basis.weigh, presence(replicas, options.nodes))
    now_is = {each.number: each for group in grouped(images, indexes, kinds, {}) for each in group.members}
    prepared_groups = grouped(prepared or images, indexes, kinds, options.grounds)
    groups, followers = led(prepared_groups, options.follows)
    groups, apart = without(groups, options.apart)
    groups, rest = cut(groups)
    by_chain = STORAGE[storage.name] is BY_CHAIN
    budgets: list[int | None] = [0, *sorted(set(options.budgets) - {0}), None]
    parts = (
        [_part(group, budgets, options, measure, now_is) for group in groups if len(group.members) > 1]
        if by_chain
        else []
    )
    parts = _within(parts, budgets, options)
    alone = [*(group for group in groups if not any(part.case.group is group for part in parts)), *rest, *apart]
    drawn: list[Draft] = []
    for number in range(len(budgets)):
        drawn.append(Draft(parts, alone, followers, number, options, measure, now_is, drawn[-1] if drawn else None))
    before = counted(now_is.values(), measure) if by_chain else _reported(report, options.basis)
    points = distinct([point_of(draft, budget, before) for draft, budget in zip(drawn, budgets, strict=True)])
    name, reason = chosen([point for _, point in points], before, options.prefer)
    draft, point = next(each for each in points if each[1].name == name)
    causes = Causes(images)
    bases, of_image = draft.bases(causes, _lives(now_is.values(), options.former))
    changes: tuple[Moved, ...] = ()
    if options.former is not None:
        names = renamed(bases, images, options.former)
        bases, of_image = with_names(bases, names), {number: names[name] for number, name in of_image.items()}
        changes = tuple(moved(options.former, bases, images, of_image.get))
    return Plan(
        schema=SCHEMA,
        basis=options.basis.text,
        storage=storage.name,
        points=tuple(each for _, each in points),
        chosen=name,
        reason=reason,
        ideal_bytes=before.distinct_bytes,
        optimum_bytes=optimum(parts, drawn[0]) if by_chain else None,
        before=before,
        after=draft.totals if by_chain else before,
        bases=tuple(bases),
        images=_images(images, draft, of_image, point),
        suggestions=_worthwhile(report, images, options) if by_chain else (),
        left_out=left_out(groups, rest, options.apart) if by_chain else (nothing_helps(storage),),
        nodes=options.nodes,
        moved=changes,
        notes=(*options.notes, *notes(prepared_groups, replicas, storage, options)) if by_chain else (),
    )


def held_now(
    images: Sequence[Image],
    replicas: Sequence[int],
    indexes: Mapping[DiffID, LayerIndex],
    storage: StorageModel,
    kinds: Collection[str],
    options: Options,
) -> Totals:
    """What a node holds of images as they are, counted as a plan counts."""
    if STORAGE[storage.name] is not BY_CHAIN:
        return _reported(compare_images(images, replicas, indexes, storage, kinds), options.basis)
    members = [each for group in grouped(images, indexes, kinds, {}) for each in group.members]
    return counted(members, Measure(options.basis.weigh, presence(replicas, options.nodes)))


def _reported(report: Report, basis: Basis) -> Totals:
    """Where no plan helps, what is there is what a comparison counts."""
    return report.totals.startup if basis.name == "startup" else report.totals.mappable


def _lives(members: Iterable[Member], former: Plan | None) -> Mapping[object, Lives]:
    """By platform and release."""
    alike: defaultdict[object, list[Member]] = defaultdict(list)
    for member in members:
        alike[member.image.platform, member.release].append(member)
    return {key: lives_of(found, former) for key, found in alike.items()}


def _part(
    group: Group,
    budgets: Sequence[int | None],
    options: Options,
    measure: Measure,
    now_is: Mapping[int, Member],
) -> Part:
    case = case_of(group, options.stays, measure)
    before = counted([now_is[each.number] for each in group.members], measure)
    return Part(case, _solved(case, budgets, options, options.max_bases), before.page_cache_bytes)


def _solved(case: Case, budgets: Sequence[int | None], options: Options, bases: int | None) -> tuple[Frontier, ...]:
    """The ways for a group. Where its ground is several chains, one base may make them one, or each may stay."""
    group = case.group
    room = LAYERS_MAX - max(len(member.image.layers) for member in group.members)
    depth = max(room // _LAYERS_OF_BASE - (1 if group.drifted else 0), 0)
    former = former_tree(case.problem, group.members, Known(options.former)) if options.former is not None else None
    frontier = solve(case.problem, budgets, Limits(bases, options.min_saving, depth), former)
    if not group.drifted or bases == 0:
        return (frontier,)
    fewer = frontier
    if bases is not None:
        fewer = solve(case.problem, budgets, Limits(bases - 1, options.min_saving, depth), former)
    return (Frontier(tuple(_on_one_ground(case, each) for each in fewer.solutions), fewer.optimum), frontier)


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


def _within(parts: Sequence[Part], budgets: Sequence[int | None], options: Options) -> list[Part]:
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


def _images(
    images: Sequence[Image], draft: Draft, of_image: Mapping[int, str], point: Point
) -> tuple[PlannedImage, ...]:
    left = draft.remaining(of_image.keys())
    return tuple(
        PlannedImage(
            image.ref, image.name, of_image.get(number), point.extra_bytes.get(image.ref, 0), left.get(number, ())
        )
        for number, image in enumerate(images)
    )


def _worthwhile(report: Report, images: Sequence[Image], options: Options) -> tuple[Suggestion, ...]:
    return tuple(
        each for each in suggestions(report, images, options.origins) if each.saved_bytes >= options.min_saving
    )
