"""Random questions for the optimiser."""

from __future__ import annotations

import random

from memlint.planner.problem import Atom, Problem, bits

PAGE = 4096


def plain(seed: int, images: int = 12, atoms: int = 40) -> Problem:
    """A fleet whose atoms need nothing: each has a popularity of its own."""
    rng = random.Random(seed)  # noqa: S311
    count, kinds = rng.randint(2, images), rng.randint(1, atoms)
    popularity = [rng.random() for _ in range(kinds)]
    return Problem(
        [Atom(PAGE * rng.randint(1, 5000), rng.randint(1, 10_000) * 1000) for _ in range(kinds)],
        [bits(atom for atom in range(kinds) if rng.random() < popularity[atom]) for _ in range(count)],
    )


def tangled(seed: int, images: int = 16, atoms: int = 30) -> Problem:
    """A fleet whose atoms need others, by choice too, and clash; some lie in the ground. Each image is sound."""
    rng = random.Random(seed)  # noqa: S311
    count, kinds = rng.randint(1, images), rng.randint(1, atoms)
    ground = rng.randint(0, kinds // 3)
    clashes = [0] * kinds
    for _ in range(rng.randint(0, 4)):
        one, other = rng.randrange(kinds), rng.randrange(kinds)
        if one != other and min(one, other) >= ground:
            clashes[one] |= 1 << other
            clashes[other] |= 1 << one
    made = [
        Atom(PAGE * rng.randint(0, 5000), rng.randint(1, 10_000) * 1000, _needs(rng, atom), clashes[atom])
        for atom in range(kinds)
    ]
    popularity = [rng.random() for _ in range(kinds)]
    return Problem(made, [_image(rng, made, popularity, ground) for _ in range(count)], (1 << ground) - 1)


def _needs(rng: random.Random, atom: int) -> tuple[tuple[int, ...], ...]:
    if not atom:
        return ()
    return tuple(tuple(rng.sample(range(atom), min(atom, rng.randint(1, 2)))) for _ in range(rng.randint(0, 2)))


def _image(rng: random.Random, atoms: list[Atom], popularity: list[float], ground: int) -> int:
    have = (1 << ground) - 1
    for number, atom in enumerate(atoms):
        wanted = rng.random() < popularity[number] and not atom.clashes & have
        if wanted and all(any(have >> other & 1 for other in choice) for choice in atom.needs):
            have |= 1 << number
    return have
