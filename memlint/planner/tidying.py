"""Bases that are not worth it, taken out of a layout: their images and bases go to the one below."""

from __future__ import annotations

from functools import reduce
from operator import or_

from memlint.planner.layout import Layout
from memlint.planner.problem import Problem, members


def tidied(problem: Problem, layout: Layout, least: int) -> Layout:
    """The layout without bases that add nothing to the one below or save less than `least`, or that one image or none
    stands on.

    The least goes first. What goes makes the others worth more: each of them then ends more copies.
    """
    tree = _Tree(problem, layout)
    while True:
        worth, base = min(((tree.worth(base), base) for base in tree.alive), default=(0.0, -1))
        if base < 0 or worth >= max(least, 1):
            return tree.layout()
        tree.drop(base)


class _Tree:
    """A layout whose bases go one by one."""

    def __init__(self, problem: Problem, layout: Layout) -> None:
        self._problem, self._carries = problem, layout.carries
        self._parents, self._base_of = list(layout.parents), list(layout.base_of)
        self.alive = dict.fromkeys(range(len(layout.parents)))
        self._above: list[dict[int, None]] = [{} for _ in layout.parents]
        self._images: list[int] = [0] * len(layout.parents)
        self._under = [0] * len(layout.parents)
        for base, parent in enumerate(layout.parents):
            if parent >= 0:
                self._above[parent][base] = None
        for image, base in enumerate(layout.base_of):
            if base >= 0:
                self._images[base] |= 1 << image
            for each in layout.path(base):
                self._under[each] |= 1 << image
        self._used = [reduce(or_, (problem.images[image] for image in members(under)), 0) for under in self._under]
        self._known: dict[int, float] = {}

    def worth(self, base: int) -> float:
        """What a node holds less for the base: its own atoms once instead of once in all that stands on it."""
        if base not in self._known:
            self._known[base] = self._worth(base)
        return self._known[base]

    def _worth(self, base: int) -> float:
        problem, parent = self._problem, self._parents[base]
        own = self._carries[base] & ~(self._carries[parent] if parent >= 0 else problem.ground)
        if not self._under[base] & (self._under[base] - 1):
            return 0.0
        if problem.everywhere:
            sets = [problem.images[image] for image in members(self._images[base])]
            sets += [self._used[each] for each in self._above[base]]
            return sum(problem.weigh(own & atoms) for atoms in sets) - problem.weigh(own & self._used[base])
        copies = [1 << image for image in members(self._images[base])] + [
            self._under[each] for each in self._above[base]
        ]
        total = 0.0
        for atom in members(own):
            weight, holders = problem.atoms[atom].weight, problem.holders[atom]
            if weight and holders & self._under[base]:
                apart = sum(problem.likely(members(holders & images)) for images in copies)
                total += weight * (apart - problem.likely(members(holders & self._under[base])))
        return total

    def drop(self, base: int) -> None:
        parent = self._parents[base]
        del self.alive[base]
        for each in self._above[base]:
            self._parents[each] = parent
            self._known.pop(each, None)
            if parent >= 0:
                self._above[parent][each] = None
        if parent >= 0:
            del self._above[parent][base]
            self._images[parent] |= self._images[base]
            self._known.pop(parent, None)
        for image in members(self._images[base]):
            self._base_of[image] = parent

    def layout(self) -> Layout:
        numbers = {-1: -1} | {base: number for number, base in enumerate(self.alive)}
        carries: list[int] = []
        for base in self.alive:
            parent = numbers[self._parents[base]]
            below = carries[parent] if parent >= 0 else self._problem.ground
            carries.append(below | self._needed(base, below))
        return Layout(
            [numbers[self._parents[base]] for base in self.alive], carries, [numbers[base] for base in self._base_of]
        )

    def _needed(self, base: int, below: int) -> int:
        """What a base carries that an image on it has, and what that needs: the rest came from what has gone."""
        problem = self._problem
        found = self._carries[base] & ~below & self._used[base]
        todo = list(members(found))
        while todo:
            for choice in problem.atoms[todo.pop()].needs:
                there = found | below | problem.ground
                if not any(there >> other & 1 for other in choice):
                    other = next(other for other in choice if self._carries[base] >> other & 1)
                    found |= 1 << other
                    todo.append(other)
        return found
