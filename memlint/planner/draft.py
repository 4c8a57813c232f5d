"""The whole fleet under one budget: which groups stand on bases, and what that comes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import or_

import msgspec

from memlint.lint.places import Origin
from memlint.model.layer import Package
from memlint.model.plan import LeftOut, Plan, PlannedBase, PlannedPackage, Remaining
from memlint.planner.account import Inode, as_it_is, as_planned, following, totals
from memlint.planner.alike import Contents
from memlint.planner.atoms import Case
from memlint.planner.choice import BALANCED
from memlint.planner.explain import planned_bases, remaining
from memlint.planner.former import Standing, free
from memlint.planner.frontier import Frontier
from memlint.planner.grounds import Follower, Ground, Group, Member
from memlint.planner.layout import Layout, added, extra
from memlint.planner.movable import Made
from memlint.planner.problem import members
from memlint.planner.stability import Lives
from memlint.planner.unbrought import unbrought
from memlint.planner.weighing import BASES, Basis, Measure
from memlint.planner.write.rigid import Again
from memlint.sharing.causes import Causes

BUDGETS = (5_000_000, 20_000_000, 80_000_000)
MIN_SAVING = 1_000_000
SHARE = 0.01
"""Of what the fleet holds twice: what a base saves at least, unless a call says what that is to be."""


class Options(msgspec.Struct, frozen=True):
    """What a plan is to keep.

    - `basis`, `nodes`: what is weighed, and over how many nodes the containers of the fleet are spread.
    - `budgets`: bytes per image, a point of the frontier each; `prefer` says which point is described.
    - `max_bases`, `min_saving`, `share`: how many bases there may be; what one saves at least, in bytes and as a part
      of what the fleet holds twice.
    - `grounds`, `origins`: by reference, what an image's Dockerfile starts from, and what it is built from.
    - `again`: by reference, the files that an image makes itself.
    - `listed`: by reference, a list of packages that its Dockerfile names and that asks other indexes.
    - `follows`: by reference, the other image that its Dockerfile stands on: it goes where that goes.
    - `former`: a plan whose bases are kept as far as that costs little; `standing` says of images which of these they
      stand on, `taken` are names of bases that are none of its.
    - `apart`: by reference, why an image stays as it is.
    - `contents`: reads layers again whose bases may be one.
    - `left_out`, `notes`: what else the reader has to know.
    """

    basis: Basis = BASES["mappable"]
    nodes: int = 1
    budgets: tuple[int, ...] = BUDGETS
    max_bases: int | None = None
    min_saving: int = MIN_SAVING
    share: float = 0.0
    prefer: str = BALANCED
    grounds: Mapping[str, Ground] = {}
    again: Mapping[str, Again] = {}
    listed: Mapping[str, str] = {}
    follows: Mapping[str, str] = {}
    former: Plan | None = None
    apart: Mapping[str, str] = {}
    origins: Mapping[str, Origin] = {}
    notes: tuple[str, ...] = ()
    standing: Mapping[str, Standing] = {}
    taken: frozenset[str] = frozenset()
    contents: Contents | None = None
    left_out: tuple[LeftOut, ...] = ()


class Part(msgspec.Struct, frozen=True, eq=False):
    """A group that a plan may change, with its solutions: `frontiers` are ways to do it, of which the best counts."""

    case: Case
    frontiers: tuple[Frontier, ...]
    before: int

    @property
    def frontier(self) -> Frontier:
        return self.frontiers[0]


class Drafting(msgspec.Struct, frozen=True, eq=False):
    """What all drafts of a plan have in common. `now_is` are the images as they are, by number."""

    options: Options
    made: Made
    measure: Measure
    followers: Sequence[Follower]
    now_is: Mapping[int, Member]


class Draft:
    """The whole fleet under one budget: the groups that gain on their bases, all others as they are."""

    def __init__(
        self,
        parts: Sequence[Part],
        alone: Sequence[Group],
        drafted: Drafting,
        budget: int,
        earlier: Draft | None,
    ) -> None:
        self._options, self._measure = drafted.options, drafted.measure
        self._now_is = drafted.now_is
        self._groups = [*(part.case.group for part in parts), *alone]
        self._followers = drafted.followers
        self._best: list[tuple[int, Layout | None]] = [
            self._best_of(part, budget, earlier._best[number] if earlier else None) for number, part in enumerate(parts)
        ]
        self.changed = [
            (part.case, layout) for part, (_, layout) in zip(parts, self._best, strict=True) if layout is not None
        ]
        self.inodes: list[Inode] = []
        for part, (_, layout) in zip(parts, self._best, strict=True):
            self.inodes += self._inodes(part, layout)
        for group in alone:
            self.inodes += as_it_is(drafted.now_is[each.number] for each in group.members)
        for follower in drafted.followers:
            self.inodes += following(follower, self.inodes)
        self.totals, self.pulled = totals(self.inodes, drafted.measure)

    def _best_of(self, part: Part, budget: int, earlier: tuple[int, Layout | None] | None) -> tuple[int, Layout | None]:
        """(page cache, layout) of the best way for a group; no layout, where it stays as it is."""
        best = earlier or (part.before, None)
        enough = part.before - max(self._options.min_saving, 1)
        for frontier in part.frontiers:
            layout = frontier.solutions[budget].layout
            if layout.parents:
                after, _ = totals(self._inodes(part, layout), self._measure)
                if after.page_cache_bytes <= enough and after.page_cache_bytes < best[0]:
                    best = (after.page_cache_bytes, layout)
        return best

    def _inodes(self, part: Part, layout: Layout | None) -> list[Inode]:
        if layout is None:
            return list(as_it_is(self._now_is[each.number] for each in part.case.group.members))
        return list(as_planned(part.case, layout, self._now_is))

    @property
    def base_count(self) -> int:
        return sum(len(layout.parents) for _, layout in self.changed)

    def extra(self) -> dict[str, int]:
        """What images get that they did not have, by reference, in bytes; others get nothing."""
        return {
            member.image.ref: extra(case.problem, layout, number)
            for case, layout in self.changed
            for number, member in enumerate(case.group.members)
            if added(case.problem, layout, number)
        }

    def unsized(self) -> int:
        """How many packages that images get do not say what they take."""
        found: set[Package] = set()
        for case, layout in self.changed:
            new = reduce(or_, (added(case.problem, layout, number) for number in range(len(case.group.members))), 0)
            each = (case.pieces[at].itself for at in members(new))
            found.update(itself.package for itself in each if itself is not None and itself.size is None)
        return len(found)

    def updates(self) -> dict[str, tuple[str, ...]]:
        """What images get in another version, by reference."""
        return {ref: updates for case, _ in self.changed for ref, updates in case.group.updates.items()}

    def installs(self) -> dict[str, tuple[PlannedPackage, ...]]:
        """What Dockerfiles have to name on their bases, by reference."""
        return {
            member.image.ref: tuple(PlannedPackage(each.name, each.version, each.type, True, 0) for each in packages)
            for case, layout in self.changed
            for number, member in enumerate(case.group.members)
            if (packages := unbrought(case, layout, number))
        }

    def bases(self, causes: Causes, lives: Mapping[object, Lives]) -> tuple[list[PlannedBase], dict[int, str]]:
        """The bases, and the name of that of each image. `lives` are those of each platform and release."""
        names = _Names(self._options.taken)
        found: list[PlannedBase] = []
        of_image: dict[int, str] = {}
        for case, layout in self.changed:
            seen, least = lives[case.group.platform, case.group.release], self._options.min_saving
            own = planned_bases(case, layout, self._now_is, causes, names.new, self._measure, seen, least)
            found += own
            for number, member in enumerate(case.group.members):
                if layout.base_of[number] >= 0:
                    of_image[member.number] = own[layout.base_of[number]].name
        for follower in self._followers:
            if follower.leader.number in of_image:
                of_image[follower.member.number] = of_image[follower.leader.number]
        return found, of_image

    def remaining(self, based: Collection[int]) -> dict[int, tuple[Remaining, ...]]:
        groups = {member.number: at for at, group in enumerate(self._groups) for member in group.members}
        for follower in self._followers:
            groups[follower.member.number] = groups[follower.leader.number]
        return dict(remaining(self.inodes, groups, frozenset(based), self._measure))


class _Names:
    """Names, each once."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)

    def new(self, name: str) -> str:
        unique = free(name, self._taken)
        self._taken.add(unique)
        return unique
