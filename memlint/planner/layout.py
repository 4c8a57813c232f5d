"""A tree of bases with what each of them carries: strictly what its images share, or more, under a budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
        return [image for image, own in enumerate(self.base_of) if base in self.path(own)]

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
    """The weight of all inodes: each base's own, each image's own, and the ground's once."""
    seen = problem.ground if problem.images else 0
    total = problem.weigh(seen)
    for base in range(len(layout.parents)):
        total += problem.weigh(layout.own(base, problem.ground))
    for image, atoms in enumerate(problem.images):
        total += problem.weigh(atoms & ~layout.carried(image) & ~problem.ground)
    return total


def extra(problem: Problem, layout: Layout, image: int) -> int:
    """What an image gets that it did not have."""
    return problem.size(layout.carried(image) & ~problem.images[image] & ~problem.ground)


def raised(problem: Problem, layout: Layout, budget: int | None) -> Layout:
    """The layout with atoms moved down into bases that serve more images, those first that save most for what they add.

    An image gets at most `budget` bytes that it did not have; None is no limit.
    """
    result = Layout(list(layout.parents), list(layout.carries), list(layout.base_of))
    spent = [extra(problem, result, image) for image in range(len(problem.images))]
    under = [result.under(base) for base in range(len(result.parents))]
    for _, base, atom in sorted(_candidates(problem, result, under)):
        if not result.carries[base] >> atom & 1:
            _raise(problem, result, under[base], (base, atom), spent, budget)
    return result


def _raise(
    problem: Problem,
    layout: Layout,
    images: Sequence[int],
    what: tuple[int, int],
    spent: list[int],
    budget: int | None,
) -> None:
    """Put an atom with what it needs into a base, if all its images can bear that and it still saves."""
    base, atom = what
    bundle = _with_needs(problem, layout, base, atom, images)
    if bundle is None:
        return
    costs = {
        image: problem.size(bundle & ~problem.images[image] & ~layout.carried(image) & ~problem.ground)
        for image in images
    }
    if budget is not None and any(spent[image] + cost > budget for image, cost in costs.items() if cost):
        return
    for image, cost in costs.items():
        spent[image] += cost
    for number in range(len(layout.parents)):
        if base in layout.path(number):
            layout.carries[number] |= bundle


def _with_needs(problem: Problem, layout: Layout, base: int, atom: int, images: Sequence[int]) -> int | None:
    """The atom and what it needs beside what the base carries, out of what its images have; None where that clashes."""
    bundle, todo, group = 0, [atom], bits(images)
    while todo:
        one = todo.pop()
        if bundle >> one & 1:
            continue
        bundle |= 1 << one
        have = bundle | layout.carries[base] | problem.ground
        for choice in problem.atoms[one].needs:
            if not any(have >> other & 1 for other in choice):
                there = [other for other in choice if problem.holders[other] & group]
                if not there:
                    return None
                todo.append(min(there, key=lambda other: (problem.atoms[other].size, other)))
    clashes = 0
    for one in members(bundle):
        clashes |= problem.atoms[one].clashes
    if clashes & bundle:
        return None
    if clashes and any(clashes & (problem.images[image] | layout.carried(image)) for image in images):
        return None
    return bundle


def _candidates(
    problem: Problem, layout: Layout, under: Sequence[Sequence[int]]
) -> Iterator[tuple[tuple[float, int], int, int]]:
    """(how little it pays, base, atom) of each atom that lies more than once above a base which does not carry it."""
    groups = [bits(images) for images in under]
    for atom, holders in enumerate(problem.holders):
        if not holders & (holders - 1) or problem.ground >> atom & 1 or not problem.atoms[atom].weight:
            continue
        places = _places(layout, atom, holders)
        if len(places) < 2:
            continue
        counts: dict[int, int] = {}
        for place in places:
            for base in layout.path(place):
                counts[base] = counts.get(base, 0) + 1
        weight, size = problem.atoms[atom].weight, problem.atoms[atom].size
        for base, copies in counts.items():
            if copies > 1:
                lacking = (groups[base] & ~holders).bit_count()
                gain = (copies - 1) * weight
                yield (size * lacking / gain, -gain), base, atom


def _places(layout: Layout, atom: int, holders: int) -> list[int]:
    """For each inode of the atom, the base below the place where it lies."""
    bases: set[int] = set()
    places = []
    for image in members(holders):
        base = layout.base_of[image]
        if base < 0:
            continue
        carrier = next((each for each in layout.path(base)[::-1] if layout.carries[each] >> atom & 1), None)
        if carrier is None:
            places.append(base)
        elif carrier not in bases:
            bases.add(carrier)
            places.append(layout.parents[carrier])
    return places


def tidied(problem: Problem, layout: Layout) -> Layout:
    """The layout without bases that add nothing to the one below, or that one image or none stands on."""
    keep = [
        bool(layout.own(base, problem.ground)) and len(layout.under(base)) > 1 for base in range(len(layout.parents))
    ]
    numbers: dict[int, int] = {-1: -1}
    result = Layout([], [], [])
    for base, parent in enumerate(layout.parents):
        if keep[base]:
            numbers[base] = len(result.parents)
            result.parents.append(numbers[parent])
            result.carries.append(layout.carries[base])
        else:
            numbers[base] = numbers[parent]
    result.base_of = [numbers[base] for base in layout.base_of]
    return result


def few_bases(problem: Problem) -> Layout:
    """Bases beside each other, as few as clashes allow: an image goes where most is shared and least excluded."""
    held: list[int] = []
    twice: list[int] = []
    barred: list[int] = []
    clashes = [_clashes(problem, atoms) for atoms in problem.images]
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


def _clashes(problem: Problem, atoms: int) -> int:
    found = 0
    for number in members(atoms & problem.clashing):
        found |= problem.atoms[number].clashes
    return found
