"""What a plan decides, in numbers: images are sets of atoms, as bits; an atom has a weight, and needs other atoms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from math import gcd, prod
from operator import and_, or_

import msgspec


class Atom(msgspec.Struct, frozen=True):
    """What is shared whole or not at all.

    `weight` is what one inode of each of its files holds in page cache, `size` what it takes in an image that has no
    use for it. `needs` are choices of atoms: one of each has to lie where it lies, or below. `clashes` are the atoms
    that cannot lie in one chain with it.
    """

    weight: int
    size: int
    needs: tuple[tuple[int, ...], ...] = ()
    clashes: int = 0


def bits(numbers: Iterable[int]) -> int:
    """A set of numbers as one integer."""
    return reduce(or_, (1 << number for number in numbers), 0)


def members(found: int) -> Iterator[int]:
    """The numbers in such a set, from the smallest on."""
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest


def any_of(chances: Iterable[float]) -> float:
    """How likely one of these comes true, where none depends on another."""
    return 1.0 - prod(1.0 - each for each in chances)


class Scale:
    """Weighs sets of atoms: a plane for each binary digit of the weights, so that a sum is a few counts of bits."""

    def __init__(self, weights: Sequence[int]) -> None:
        self._unit = reduce(gcd, weights, 0) or 1
        planes: dict[int, int] = {}
        for number, weight in enumerate(weights):
            for digit in members(weight // self._unit):
                planes[digit] = planes.get(digit, 0) | 1 << number
        self._planes = tuple((1 << digit, plane) for digit, plane in sorted(planes.items()))

    def __call__(self, atoms: int) -> int:
        return self._unit * sum((atoms & plane).bit_count() * value for value, plane in self._planes)


class Problem:
    """Images over atoms. `ground` are the atoms that all images have from below, at no cost.

    `present` says of each image how likely a node runs it, which is certain unless it is said.
    """

    def __init__(
        self, atoms: Sequence[Atom], images: Sequence[int], ground: int = 0, present: Sequence[float] = ()
    ) -> None:
        self.atoms, self.images, self.ground = tuple(atoms), tuple(images), ground
        self.present = tuple(present) or (1.0,) * len(self.images)
        self.everywhere = all(each == 1.0 for each in self.present)
        self.weigh = Scale([atom.weight for atom in atoms])
        self.size = Scale([atom.size for atom in atoms])
        self.holders = _holders(len(atoms), images)
        self._risky = self._unsafe()
        self.clashing = bits(number for number, atom in enumerate(atoms) if atom.clashes)

    def common(self, images: Iterable[int]) -> int:
        """The atoms that all these images have and that can lie below all of them."""
        return self.closed(reduce(and_, (self.images[number] for number in images)))

    def likely(self, images: Iterable[int]) -> float:
        """How likely a node runs one of these images at least."""
        return any_of(self.present[number] for number in images)

    def closed(self, atoms: int) -> int:
        """Of atoms that some images have in common, those whose needs lie among them or in the ground."""
        risky = atoms & self._risky
        while risky:
            lost = bits(number for number in members(risky) if not self.satisfied(number, atoms))
            if not lost:
                break
            atoms &= ~lost
            risky = atoms & self._risky
        return atoms

    def satisfied(self, atom: int, among: int) -> bool:
        """Whether one of each choice that the atom needs is among these or in the ground."""
        have = among | self.ground
        return all(any(have >> number & 1 for number in choice) for choice in self.atoms[atom].needs)

    def is_risky(self, atom: int) -> bool:
        """Whether images can have the atom in common without what it needs."""
        return bool(self._risky >> atom & 1)

    def ideal(self) -> int:
        """The weight of all atoms that an image has, each once."""
        return self.weigh(reduce(or_, self.images, 0))

    def _unsafe(self) -> int:
        """The atoms that images can have in common without what they need: for all others nothing need be asked."""
        safe = {number: True for number, atom in enumerate(self.atoms) if atom.needs}
        changed = True
        while changed:
            changed = False
            for number, good in safe.items():
                if good and not all(self._met(number, choice, safe) for choice in self.atoms[number].needs):
                    safe[number], changed = False, True
        return bits(number for number, good in safe.items() if not good)

    def _met(self, number: int, choice: Iterable[int], safe: Mapping[int, bool]) -> bool:
        own = self.holders[number]
        return any(
            self.ground >> other & 1 or (safe.get(other, True) and own & ~self.holders[other] == 0) for other in choice
        )


def _holders(count: int, images: Sequence[int]) -> list[int]:
    found = [0] * count
    for number, atoms in enumerate(images):
        for atom in members(atoms):
            found[atom] |= 1 << number
    return found


def condensed(problem: Problem) -> Problem:
    """The same question about strict sharing with fewer atoms: those of the same images are one, those of one image go.

    Atoms whose needs might not lie beside them stay alone.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    alone = []
    for number, holders in enumerate(problem.holders):
        if holders & (holders - 1):
            if problem.is_risky(number):
                alone.append(number)
            else:
                groups[holders].append(number)
    kept = [*groups.values(), *([number] for number in alone)]
    place = {number: at for at, group in enumerate(kept) for number in group}
    atoms = [_joined(problem, group, place) for group in kept]
    images = [0] * len(problem.images)
    for at, group in enumerate(kept):
        for image in members(problem.holders[group[0]]):
            images[image] |= 1 << at
    ground = bits(at for at, group in enumerate(kept) if all(problem.ground >> number & 1 for number in group))
    return Problem(atoms, images, ground, problem.present)


def _joined(problem: Problem, group: Sequence[int], place: Mapping[int, int]) -> Atom:
    atoms = [problem.atoms[number] for number in group]
    needs: tuple[tuple[int, ...], ...] = ()
    if len(group) == 1 and problem.is_risky(group[0]):
        open_needs = (choice for choice in atoms[0].needs if not any(problem.ground >> number & 1 for number in choice))
        needs = tuple(tuple(place[number] for number in choice if number in place) for choice in open_needs)
    return Atom(sum(atom.weight for atom in atoms), sum(atom.size for atom in atoms), needs)
