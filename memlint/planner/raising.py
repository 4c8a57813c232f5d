"""More than strict: atoms move down into bases that serve more images, where these can bear it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from memlint.planner.layout import Layout, clashes_of, extra
from memlint.planner.problem import Problem, bits, members
from memlint.planner.tidying import tidied


def raised(problem: Problem, layout: Layout, budgets: Iterable[int | None], least: int) -> list[Layout]:
    """For each budget, the layout with atoms moved down into bases that serve more images.

    Those go first that save most for what they add. An image gets at most so many bytes that it did not have; None is
    no limit. No base that is left saves less than `least`.
    """
    order: list[tuple[int, int]] | None = None
    found = []
    for budget in budgets:
        raising = _Raising(problem, layout, budget)
        if order is None:
            order = [(base, atom) for _, base, atom in sorted(raising.candidates())]
        for base, atom in order:
            raising.put(base, atom)
        found.append(tidied(problem, raising.layout, least))
    return found


class _Raising:
    """A layout in the making. `has` are, by atom, the images that have it or get it; `spent` is what each gets new."""

    def __init__(self, problem: Problem, layout: Layout, budget: int | None) -> None:
        self._problem, self._budget = problem, budget
        self.layout = Layout(list(layout.parents), list(layout.carries), list(layout.base_of))
        self._paths = [layout.path(base) for base in range(len(layout.parents))]
        self._above: list[list[int]] = [[] for _ in layout.parents]
        for base, path in enumerate(self._paths):
            for lower in path:
                self._above[lower].append(base)
        self._under = [bits(images) for images in layout.all_under()]
        self._spent = [extra(problem, layout, image) for image in range(len(problem.images))]
        self._has = list(problem.holders)
        for image in range(len(problem.images)):
            for atom in members(layout.carried(image) & ~problem.images[image]):
                self._has[atom] |= 1 << image

    def put(self, base: int, atom: int) -> None:
        """Put an atom with what it needs into a base, if all its images can bear that."""
        carries = self.layout.carries
        if carries[base] >> atom & 1:
            return
        bundle = self._with_needs(base, atom)
        if bundle is None:
            return
        costs = self._costs(base, bundle)
        if costs is None:
            return
        for image, cost in costs.items():
            self._spent[image] += cost
        for each in members(bundle):
            self._has[each] |= self._under[base]
        for number in self._above[base]:
            carries[number] |= bundle

    def _costs(self, base: int, bundle: int) -> dict[int, int] | None:
        """What each image gets new; None where that is more than it may get."""
        costs: dict[int, int] = {}
        for atom in members(bundle & ~self._problem.ground):
            size = self._problem.atoms[atom].size
            for image in members(self._under[base] & ~self._has[atom]) if size else ():
                cost = costs[image] = costs.get(image, 0) + size
                if self._budget is not None and self._spent[image] + cost > self._budget:
                    return None
        return costs

    def _with_needs(self, base: int, atom: int) -> int | None:
        """The atom and what it needs beside what the base carries, of what its images have; None where that clashes."""
        problem, group = self._problem, self._under[base]
        below = self.layout.carries[base] | problem.ground
        bundle, todo = 0, [atom]
        while todo:
            one = todo.pop()
            if bundle >> one & 1:
                continue
            bundle |= 1 << one
            for choice in problem.atoms[one].needs:
                if not any((bundle | below) >> other & 1 for other in choice):
                    there = [other for other in choice if problem.holders[other] & group]
                    if not there:
                        return None
                    todo.append(min(there, key=lambda other: (problem.atoms[other].size, other)))
        against = clashes_of(problem, bundle)
        clash = any(self._has[other] & group for other in members(against)) or against & bundle
        return None if clash else bundle

    def candidates(self) -> Iterator[tuple[tuple[float, float], int, int]]:
        """(how little it pays, base, atom) of each atom that lies more than once above a base without it."""
        problem = self._problem
        for atom, holders in enumerate(problem.holders):
            weight, size = problem.atoms[atom].weight, problem.atoms[atom].size
            if not holders & (holders - 1) or problem.ground >> atom & 1 or not weight:
                continue
            for base, (copies, held) in self._copies(atom, holders).items():
                if copies > 1:
                    lacking = (self._under[base] & ~holders).bit_count()
                    gain = (held - problem.likely(members(holders & self._under[base]))) * weight
                    yield (size * lacking / gain if gain > 0 else inf, -gain), base, atom

    def _copies(self, atom: int, holders: int) -> dict[int, tuple[int, float]]:
        """How many inodes of the atom lie above each base, and how many of them a node holds."""
        layout, problem = self.layout, self._problem
        seen: set[int] = set()
        counts: dict[int, tuple[int, float]] = {}
        for image in members(holders):
            place, held = layout.base_of[image], problem.present[image]
            if place >= 0 and layout.carries[place] >> atom & 1:
                carrier = next(each for each in self._paths[place][::-1] if layout.carries[each] >> atom & 1)
                if carrier in seen:
                    continue
                seen.add(carrier)
                place, held = layout.parents[carrier], problem.likely(members(holders & self._under[carrier]))
            for base in self._paths[place] if place >= 0 else ():
                count, before = counts.get(base, (0, 0.0))
                counts[base] = (count + 1, before + held)
        return counts
