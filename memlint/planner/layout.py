"""A tree of bases with what each of them carries: strictly what its images share, or more, under a budget."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

import msgspec

from memlint.planner.problem import Problem, bits, members
from memlint.planner.tree import Node


class Layout(msgspec.Struct, eq=False):
    """Bases by number, each after the one that it stands on (-1: the ground). `carries` includes what lies below.

    `base_of` gives the base of each image, -1 for one that stands on the ground alone.
    """

    parents: list[int]
    carries: list[int]
    base_of: list[int]

    def carried(self, image: int) -> int:
        """What the image has from its base; nothing, if it has none."""
        base = self.base_of[image]
        return self.carries[base] if base >= 0 else 0

    def under(self, base: int) -> list[int]:
        """The images on a base and on those that stand on it."""
        return self.all_under()[base]

    def all_under(self) -> list[list[int]]:
        """The same of every base."""
        found: list[list[int]] = [[] for _ in self.parents]
        for image, own in enumerate(self.base_of):
            for base in self.path(own):
                found[base].append(image)
        return found

    def path(self, base: int) -> list[int]:
        """A base and those below it, down to the ground."""
        found = []
        while base >= 0:
            found.append(base)
            base = self.parents[base]
        return found

    def own(self, base: int, ground: int) -> int:
        """What a base adds to the one that it stands on."""
        parent = self.parents[base]
        return self.carries[base] & ~(self.carries[parent] if parent >= 0 else ground)


def from_tree(problem: Problem, root: Node) -> Layout:
    """A tree as a layout; its root is the ground. `carries` of strict bases are what the images share, by atoms."""
    layout = Layout([], [], [-1] * len(problem.images))
    todo: list[tuple[Node, int]] = [(root, -1)]
    while todo:
        node, number = todo.pop(0)
        for child in node.children:
            if child.is_base:
                layout.parents.append(number)
                layout.carries.append(problem.common(child.images) | problem.ground)
                todo.append((child, len(layout.parents) - 1))
            else:
                layout.base_of[child.images[0]] = number
    return layout


def page_cache(problem: Problem, layout: Layout) -> int:
    """The weight of all inodes that a node is to hold: each base's own, each image's own, and the ground's once."""
    total = problem.weigh(problem.ground) * problem.likely(range(len(problem.images)))
    for base, under in enumerate(layout.all_under()):
        total += _held(problem, layout.own(base, problem.ground), under)
    for image, atoms in enumerate(problem.images):
        total += problem.weigh(atoms & ~layout.carried(image) & ~problem.ground) * problem.present[image]
    return round(total)


def _held(problem: Problem, atoms: int, images: Sequence[int]) -> float:
    """Atoms of a base weighed by how likely a node runs one of its images that has a use for them."""
    if problem.everywhere:
        return problem.weigh(atoms & reduce(or_, (problem.images[image] for image in images), 0))
    own = bits(images)
    everyone = bits(atom for atom in members(atoms) if own & ~problem.holders[atom] == 0)
    total = problem.weigh(everyone) * problem.likely(images)
    for atom in members(atoms & ~everyone):
        total += problem.atoms[atom].weight * problem.likely(members(problem.holders[atom] & own))
    return total


def added(problem: Problem, layout: Layout, image: int) -> int:
    """The atoms that an image gets and did not have."""
    return layout.carried(image) & ~problem.images[image] & ~problem.ground


def extra(problem: Problem, layout: Layout, image: int) -> int:
    """What these take."""
    return problem.size(added(problem, layout, image))


def few_bases(problem: Problem) -> Layout:
    """Bases beside each other, as few as clashes allow: an image goes where most is shared and least excluded."""
    held: list[int] = []
    twice: list[int] = []
    barred: list[int] = []
    clashes = [clashes_of(problem, atoms) for atoms in problem.images]
    base_of = []
    for atoms, against in zip(problem.images, clashes, strict=True):
        gains = [
            problem.weigh(atoms & held[at] & ~barred[at] & ~against & ~problem.ground)
            - problem.weigh(twice[at] & against & ~barred[at])
            for at in range(len(held))
        ]
        best = max(range(len(held)), key=gains.__getitem__, default=-1)
        if best < 0 or gains[best] <= 0:
            best = len(held)
            held.append(0)
            twice.append(0)
            barred.append(0)
        twice[best] |= held[best] & atoms
        held[best] |= atoms
        barred[best] |= against
        base_of.append(best)
    groups = [[image for image, at in enumerate(base_of) if at == base] for base in range(len(held))]
    return Layout([-1] * len(held), [problem.common(images) | problem.ground for images in groups], base_of)


def clashes_of(problem: Problem, atoms: int) -> int:
    """The atoms that cannot lie in one chain with one of these."""
    found = 0
    for number in members(atoms & problem.clashing):
        found |= problem.atoms[number].clashes
    return found
