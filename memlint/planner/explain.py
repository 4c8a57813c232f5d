"""What a plan says of its bases and images: what goes in, for whom, what it saves and what it leaves."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from memlint.model.digest import ContentID
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.layer import Package
from memlint.model.plan import PlannedBase, PlannedFiles, PlannedPackage, Remaining
from memlint.planner.account import Inode, added, now
from memlint.planner.atoms import Case
from memlint.planner.grounds import Member
from memlint.planner.layout import Layout
from memlint.planner.problem import bits, members
from memlint.planner.stability import Lives
from memlint.planner.steps import Order, ordered
from memlint.planner.weighing import Measure
from memlint.sharing.causes import Causes
from memlint.sharing.history import instruction
from memlint.sharing.view import Visible

_UNFIT = re.compile(r"[^a-z0-9]+")
_NAME_MAX = 48

VENDORED = "the same content lies at several paths"
OTHER_GROUND = (
    "the images stand on different distributions, releases or platforms, or on bases of other contents or settings"
)
NOT_COMMON = "images of the nearest base do not have it, or have another version"
NO_BASE = "a base for it would save too little"
MADE = "an instruction makes it anew whatever the base has"
STAYS = "an instruction that stays copies it up"


def planned_bases(
    case: Case,
    layout: Layout,
    now_is: Mapping[int, Member],
    causes: Causes,
    name: Callable[[str], str],
    measure: Measure,
    lives: Lives,
    least: int,
) -> list[PlannedBase]:
    """The bases of a group, each after the one that it stands on. `least` is what a step of its own must weigh."""
    names: list[str] = []
    found = []
    all_under = layout.all_under()
    for base, parent in enumerate(layout.parents):
        own = layout.own(base, case.problem.ground)
        below = layout.carries[parent] if parent >= 0 else 0
        order = ordered(case, own, below | case.problem.ground, lives, least)
        packages = _packages(case, own, below | case.problem.ground, order)
        names.append(name(_name(case, packages)))
        under = all_under[base]
        # the ground counts for the lowest bases: that it is one chain is their doing
        counted = own | (case.problem.ground if parent < 0 else 0)
        saved, why = _saved(
            case, counted, [now_is[case.group.members[image].number] for image in under], causes, measure
        )
        found.append(
            PlannedBase(
                name=names[-1],
                parent=names[parent] if parent >= 0 else None,
                source=case.group.source,
                platform=case.group.platform,
                packages=packages,
                files=_files(case, own, under, order),
                images=tuple(case.group.members[image].image.ref for image in under),
                page_cache_saved_bytes=saved,
                causes=why,
                steps=order.steps,
                source_chain=case.group.chain,
                user=case.group.ground.user,
            )
        )
    return found


def _name(case: Case, packages: Sequence[PlannedPackage]) -> str:
    """Of the distribution and the packages that map most."""
    release = case.group.release
    words = [release.name, release.version] if release is not None else ["files"]
    roots = sorted((each for each in packages if each.root), key=lambda each: (-each.size, each.name))
    words += [each.name for each in roots[:2]]
    return _UNFIT.sub("-", "-".join(word for word in words if word).lower()).strip("-")[:_NAME_MAX].rstrip("-")


def _packages(case: Case, own: int, below: int, order: Order) -> tuple[PlannedPackage, ...]:
    """The packages that a base adds: step by step, those of the distribution first, which others need."""
    pieces, atoms = case.pieces, case.problem.atoms
    maps: dict[Package, int] = defaultdict(int)
    for at in members(own):
        package = pieces[at].package
        if package is not None:
            maps[package] += atoms[at].weight
    found = []
    for step in range(len(order.steps)):
        inside = [at for at in members(own) if pieces[at].itself is not None and order.step_of[at] == step]
        roots = _roots(case, inside, below)
        below |= bits(inside)
        for at in inside:
            itself = pieces[at].itself
            if itself is not None:
                package, root, changes = itself.package, at in roots, order.lives[at].changes
                size = maps[package]
                found.append(
                    PlannedPackage(package.name, package.version, package.type, root, size, step=step, changes=changes)
                )
    return tuple(sorted(found, key=_in_order))


def _in_order(each: PlannedPackage) -> tuple[object, ...]:
    return (each.step, each.type not in DISTRIBUTION, each.type, each.name, each.version)


def _roots(case: Case, inside: Sequence[int], below: int) -> set[int]:
    """Of packages installed at once, those to ask for: what no other brings for certain. Those of a circle are, too."""
    within = set(inside)
    brings, instead = _brought(case, inside, below)
    brought = {other for at, others in brings.items() for other in others if other != at}
    asked = {at for at in inside if (itself := case.pieces[at].itself) is not None and itself.asked}
    roots = asked | instead | within - brought
    reached, todo = set(roots), list(roots)
    while todo:
        new = brings[todo.pop()] - reached
        reached |= new
        todo += new
    return roots | (within - reached)


def _brought(case: Case, inside: Sequence[int], below: int) -> tuple[dict[int, set[int]], set[int]]:
    """What each of the packages brings for certain: the first of a choice, where nothing else meets that. And what
    meets a choice whose first is not here: that one would come, were it not asked for."""
    names: dict[tuple[str, str], set[int]] = defaultdict(set)
    packages = {at: itself for at in (*inside, *members(below)) if (itself := case.pieces[at].itself) is not None}
    for at, each in packages.items():
        for name in (each.package.name, *each.provides):
            names[each.package.type, name].add(at)
    within = set(inside)
    found: dict[int, set[int]] = {at: set() for at in inside}
    instead: set[int] = set()
    for at in within & packages.keys():
        for choice in packages[at].needs:
            first, *others = (names.get((packages[at].package.type, name), set()) for name in choice)
            if not first and not found[at].intersection(set().union(*others)):
                instead |= within.intersection(set().union(*others))
            elif len(first.union(*others)) == 1:
                found[at] |= first & within
    return found, instead


def _files(case: Case, own: int, under: Sequence[int], order: Order) -> tuple[PlannedFiles, ...]:
    """The files of no package, as they lie in an image that has them: step by step, what a COPY brought last."""
    groups: dict[tuple[int, bool, str, str, int], list[tuple[str, int, ContentID]]] = defaultdict(list)
    changes: dict[tuple[int, bool, str, str, int], int] = defaultdict(int)
    for at in members(own):
        piece = case.pieces[at]
        if piece.package is not None or piece.itself is not None:
            continue
        holder = next(image for image in members(case.problem.holders[at]) if image in set(under))
        member = case.group.members[holder]
        for path, content in piece.files:
            file = member.files[path]
            copied = instruction(member.image.layers[file.layer].created_by).startswith(("COPY", "ADD"))
            key = (order.step_of[at], copied, piece.directory, member.image.ref, file.layer)
            groups[key].append((path, file.file.mappable_bytes, content))
            changes[key] = max(changes[key], order.lives[at].changes)
    return tuple(
        PlannedFiles(
            directory=f"/{key[2]}",
            paths=tuple(f"/{path}" for path, _, _ in sorted(files)),
            image=key[3],
            layer=key[4],
            size=sum(size for _, size, _ in files),
            step=key[0],
            changes=changes[key],
            contents=hashlib.sha256(repr([(path, content) for path, _, content in sorted(files)]).encode()).hexdigest(),
        )
        for key, files in sorted(groups.items())
    )


def _saved(
    case: Case, atoms: int, under: Sequence[Member], causes: Causes, measure: Measure
) -> tuple[int, dict[str, int]]:
    """What of today's duplicates these atoms make one, in all and by cause."""
    why: dict[str, float] = defaultdict(float)
    for at in members(atoms):
        for path, content in case.pieces[at].files:
            copies: dict[object, Visible] = {}
            users: dict[object, list[int]] = defaultdict(list)
            weight = 0
            for member in under:
                file = member.files.get(path)
                own = measure.weigh(member, path, file) if file is not None and file.file.content == content else 0
                if file is not None and own:
                    weight = max(weight, own)
                    copies.setdefault(now(file), file)
                    users[now(file)].append(member.number)
            if len(copies) > 1:
                shares = added(list(users.values()), measure)
                reasons = causes.of_copies([(path, file) for file in copies.values()])
                for cause, share in zip(reasons, shares, strict=True):
                    if cause is not None:
                        why[cause] += weight * share
    whole = {cause: round(size) for cause, size in why.items()}
    return sum(whole.values()), dict(sorted(whole.items(), key=lambda item: (-item[1], item[0])))


def remaining(
    inodes: Iterable[Inode], groups: dict[int, int], based: frozenset[int], measure: Measure
) -> dict[int, tuple[Remaining, ...]]:
    """By image, what stays duplicate and why: of each content the inodes beyond the first.

    `groups` gives the group of an image, `based` are the images with a base.
    """
    contents: dict[ContentID, dict[object, list[Inode]]] = defaultdict(lambda: defaultdict(list))
    for inode in inodes:
        if measure.weigh(inode.member, inode.path, inode.file):
            contents[inode.file.file.content][inode.key].append(inode)
    found: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for keys in contents.values():
        if len(keys) > 1:
            weight = max(measure.weigh(each.member, each.path, each.file) for same in keys.values() for each in same)
            first, *others = (same[0] for same in keys.values())
            _, *shares = added([[each.member.number for each in same] for same in keys.values()], measure)
            earlier = [first]
            for inode, share in zip(others, shares, strict=True):
                why = _why(inode, earlier, groups, based)
                found[inode.member.number][why] += weight * share
                earlier.append(inode)
    return {
        image: tuple(
            Remaining(why, round(size)) for why, size in sorted(whys.items(), key=lambda item: (-item[1], item[0]))
        )
        for image, whys in found.items()
    }


def _why(inode: Inode, earlier: Sequence[Inode], groups: dict[int, int], based: frozenset[int]) -> str:
    own = groups[inode.member.number]
    near = [each for each in earlier if groups[each.member.number] == own]
    if not near:
        return OTHER_GROUND
    same = [each for each in near if each.path == inode.path]
    if not same:
        return VENDORED
    if inode.member.number not in based:
        return NO_BASE
    if inode.file.origin is not None:
        return STAYS
    return MADE if inode.made else NOT_COMMON
