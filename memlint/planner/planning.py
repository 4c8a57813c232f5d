"""A fleet → its plan: groups of images, a frontier for each, the points of all together, and one that is chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import SCHEMA, LeftOut, Moved, Plan, PlannedBase, PlannedImage, Point, Suggestion
from memlint.model.report import Report, Totals
from memlint.model.units import human_size, percent, plural
from memlint.model.vocabulary import BY_CHAIN, STORAGE
from memlint.planner.account import counted
from memlint.planner.alike import Alike
from memlint.planner.atoms import Case
from memlint.planner.choice import chosen
from memlint.planner.doubts import doubts_of
from memlint.planner.draft import Draft, Drafting, Options, Part
from memlint.planner.former import kept, lacking, moved, renamed, with_names
from memlint.planner.grounds import Follower, Group, Member, grouped, led, members_of
from memlint.planner.leaving import cut, kept_packages, left_out, notes, nothing_helps, refused_files, without
from memlint.planner.movable import Made
from memlint.planner.onebuild import nameless, on_one_build
from memlint.planner.points import distinct, optimum, point_of
from memlint.planner.solving import part_of, within
from memlint.planner.stability import Lives, lives_of
from memlint.planner.suggestions import PIN, suggestions
from memlint.planner.weighing import Basis, Measure, presence
from memlint.sharing.causes import Causes
from memlint.sharing.fleet import compare_images
from memlint.sharing.storage import StorageModel


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
    report = compare_images(images, replicas, indexes, storage, kinds, options.basis.known)
    measure = Measure(options.basis.weigh, presence(replicas, options.nodes))
    now_is = {each.number: each for each in members_of(images, indexes, kinds, {})}
    by_chain = STORAGE[storage.name] is BY_CHAIN
    before = counted(now_is.values(), measure) if by_chain else _reported(report, options.basis)
    asked, options = options, _with_share(options, before)
    field = _field(prepared or images, indexes, kinds, options)
    field = field if by_chain else _untouched(field)
    planned = [member for group in field.groups for member in group.members]
    made = Made(options.again, doubts_of(planned, indexes, options.origins, options.listed))
    drawn = _drawn(field, Drafting(options, made, measure, field.followers, now_is))
    points = distinct([point_of(draft, budget, before) for budget, draft in drawn.drafts])
    updating = drawn.better is not None
    name, reason = chosen([point for _, point in points], before, options.prefer, updating=updating)
    draft, point = next(each for each in points if each[1].name == name)
    nowhere = {ref: why for ref, why in field.unnamed.items() if ref not in draft.updates()}
    bases, of_image = draft.bases(Causes(images), _lives(now_is.values(), options.former))
    changes: tuple[Moved, ...] = ()
    if options.former is not None:
        stands = {images[number].ref: base for number, base in of_image.items()}
        if lost := lacking(options.former, options.standing, bases, stands):
            # these stay where they are, and the others are planned without them
            less = msgspec.structs.replace(asked, apart={**asked.apart, **lost})
            return plan_images(images, replicas, indexes, storage, kinds, less, prepared)
        bases, of_image, changes = _after(options.former, options, bases, of_image, images)
    based = [images[number].ref for number in of_image]
    left = _left_out(field, [part.case for part in drawn.parts], nowhere, based, options)
    told = (*options.basis.notes, *options.notes, *notes(field.every, replicas, storage, options))
    return Plan(
        schema=SCHEMA,
        basis=options.basis.text,
        storage=storage.name,
        points=tuple(each for _, each in points),
        chosen=name,
        reason=reason + _beside(options, asked.min_saving),
        ideal_bytes=before.distinct_bytes,
        optimum_bytes=optimum(drawn.parts, drawn.drafts[0][1]) if by_chain else None,
        before=before,
        after=draft.totals if by_chain else before,
        bases=tuple(bases),
        images=_images(images, draft, of_image, point, nowhere),
        suggestions=(*_priced(drawn, draft), *_worthwhile(report, images, options)) if by_chain else (),
        left_out=left if by_chain else (nothing_helps(storage),),
        nodes=options.nodes,
        moved=changes,
        notes=told if by_chain else (),
    )


def _with_share(options: Options, before: Totals) -> Options:
    """With what a base saves at least in bytes."""
    least = max(options.min_saving, round(options.share * before.duplicate_bytes))
    return msgspec.structs.replace(options, min_saving=least)


def _beside(options: Options, asked: int) -> str:
    """What is to be said of bases that save less than `min_saving`, where that is more than was asked."""
    if options.min_saving <= asked:
        return ""
    least = human_size(options.min_saving)
    return f"; bases that save less than {least}, {percent(options.share)} of what is held twice, are left out"


class _Field(msgspec.Struct, frozen=True, eq=False):
    """The images in groups: `every` one, and those of them that are planned, without `followers`.

    `rest` are too many to be planned with the others, `apart` are to stay as they are; `unnamed` says of images why no
    FROM can name their ground.
    """

    every: Sequence[Group]
    groups: Sequence[Group]
    followers: Sequence[Follower]
    rest: Sequence[Group]
    apart: Sequence[Group]
    unnamed: Mapping[str, str]


def _field(
    images: Sequence[Image], indexes: Mapping[DiffID, LayerIndex], kinds: Collection[str], options: Options
) -> _Field:
    every = grouped(images, indexes, kinds, options.grounds, Alike(indexes, options.contents))
    groups, followers = led(every, options.follows)
    unnamed = {member.image.ref: why for group, why in nameless(groups) for member in group.members}
    groups, apart = without(groups, options.apart)
    groups, rest = cut(groups)
    return _Field(every, groups, followers, rest, apart, unnamed)


def _untouched(field: _Field) -> _Field:
    """All images as they are: on some stores no base changes what they share."""
    return msgspec.structs.replace(field, groups=(), rest=(), apart=(*field.groups, *field.rest, *field.apart))


class _Drawn(msgspec.Struct, frozen=True, eq=False):
    """The drafts by budget. The last one is `union`, or what is `better`: with images on one build of their base."""

    parts: Sequence[Part]
    drafts: Sequence[tuple[int | None, Draft]]
    union: Draft
    better: Draft | None


def _drawn(field: _Field, drafted: Drafting) -> _Drawn:
    options = drafted.options
    budgets: list[int | None] = [0, *sorted(set(options.budgets) - {0}), None]
    able = [each for each in field.groups if len(each.members) > 1 and each.members[0].image.ref not in field.unnamed]
    parts = within([part_of(group, budgets, drafted) for group in able], budgets, options)
    lone = [group for group in field.groups if not any(part.case.group is group for part in parts)]
    alone = [*lone, *field.rest, *field.apart]
    drafts: list[Draft] = []
    for number in range(len(budgets)):
        # with the one before it at hand
        drafts.append(Draft(parts, alone, drafted, number, drafts[-1] if drafts else None))
    union = drafts[-1]
    better = _one_build(parts, alone, field.groups, union, drafted)
    last = union if better is None else better
    return _Drawn(parts, list(zip(budgets, [*drafts[:-1], last], strict=True)), union, better)


def _left_out(
    field: _Field, cases: Sequence[Case], nowhere: Mapping[str, str], based: Collection[str], options: Options
) -> tuple[LeftOut, ...]:
    return (
        *options.left_out,
        *left_out(field.groups, field.rest, options.apart, nowhere, based),
        *kept_packages(cases),
        *refused_files(cases, options.again),
    )


def _after(
    former: Plan, options: Options, bases: Sequence[PlannedBase], of_image: Mapping[int, str], images: Sequence[Image]
) -> tuple[list[PlannedBase], dict[int, str], tuple[Moved, ...]]:
    """The bases by the names that they had in the former plan, and what has moved since.

    Images that stand on a former base and get no other stay on it, so it stays, too.
    """
    numbers = {image.ref: number for number, image in enumerate(images)}
    staying = {
        ref: stands.base
        for ref, stands in options.standing.items()
        if ref in numbers and numbers[ref] not in of_image and ref not in options.follows
    }
    old = kept(former, staying)
    names = renamed(bases, images, former, {*options.taken, *(base.name for base in old)})
    found = {number: names[name] for number, name in of_image.items()}
    found |= {numbers[ref]: base for ref, base in staying.items()}
    for ref, leader in options.follows.items():
        if leader in staying and ref in numbers:
            found[numbers[ref]] = staying[leader]
    named = [*old, *with_names(bases, names)]
    return named, found, tuple(moved(former, named, images, found.get))


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
        report = compare_images(images, replicas, indexes, storage, kinds, options.basis.known)
        return _reported(report, options.basis)
    members = members_of(images, indexes, kinds, {})
    return counted(members, Measure(options.basis.weigh, presence(replicas, options.nodes)))


def _reported(report: Report, basis: Basis) -> Totals:
    """Where no plan helps, what is there is what a comparison counts."""
    totals: Totals = getattr(report.totals, basis.name)
    return totals


def _lives(members: Iterable[Member], former: Plan | None) -> Mapping[object, Lives]:
    """By platform and release."""
    alike: defaultdict[object, list[Member]] = defaultdict(list)
    for member in members:
        alike[member.image.platform, member.release].append(member)
    return {key: lives_of(found, former) for key, found in alike.items()}


def _one_build(
    parts: Sequence[Part], alone: Sequence[Group], candidates: Sequence[Group], union: Draft, drafted: Drafting
) -> Draft | None:
    """The union with images of one original base on one build of it, where that saves more; None where not."""
    options = drafted.options
    best: Draft | None = None
    others, rest = list(parts), list(alone)
    for apart, merged in on_one_build(candidates, options.grounds):
        part = part_of(merged, [None], drafted)
        planned = [*(each for each in others if each.case.group not in apart), part]
        left = [group for group in rest if group not in apart]
        draft = Draft(planned, left, drafted, -1, None)
        enough = (best or union).totals.page_cache_bytes - max(options.min_saving, 1)
        fits = options.max_bases is None or draft.base_count <= options.max_bases
        if fits and draft.totals.page_cache_bytes <= enough:
            best, others, rest = draft, planned, left
    return best


def _priced(drawn: _Drawn, chosen: Draft) -> Iterator[Suggestion]:
    """What one build of a base would save and change, where the plan that is described does not do it."""
    better = drawn.better
    if better is not None and better is not chosen:
        updates = better.updates()
        count = sum(map(len, updates.values()))
        text = (
            f"{plural(len(updates), 'image')} stand on an older build of their base, whose contents differ: on the"
            f" newest {plural(count, 'content')} of theirs change (--prefer union)"
        )
        saved = drawn.union.totals.page_cache_bytes - better.totals.page_cache_bytes
        yield Suggestion(PIN, tuple(updates), text, saved)


def _images(
    images: Sequence[Image], draft: Draft, of_image: Mapping[int, str], point: Point, nowhere: Collection[str]
) -> tuple[PlannedImage, ...]:
    left = draft.remaining(of_image.keys())
    updates, installs = draft.updates(), draft.installs()
    return tuple(
        PlannedImage(
            ref=image.ref,
            name=image.name,
            base=of_image.get(number),
            extra_bytes=point.extra_bytes.get(image.ref, 0),
            remaining=left.get(number, ()),
            updates=updates.get(image.ref, ()),
            rebuilt=image.ref not in nowhere,
            installs=installs.get(image.ref, ()),
        )
        for number, image in enumerate(images)
    )


def _worthwhile(report: Report, images: Sequence[Image], options: Options) -> tuple[Suggestion, ...]:
    return tuple(
        each for each in suggestions(report, images, options.origins) if each.saved_bytes >= options.min_saving
    )
