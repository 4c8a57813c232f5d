"""Plans of made-up fleets of up to 1 000 images of 400 packages, beside what people do today.

    python benchmarks/plan.py [--images N]

The fleets are made up, their shape is not: a distribution's packages in all images, a dozen stacks that are chosen by
popularity, a long tail, dependencies on what is more popular, and sizes of which few are large. Each size is planned
in a process of its own: seconds and peak RSS are those of the plan, not of making the fleet.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from memlint.planner.draft import MIN_SAVING, SHARE
from memlint.planner.frontier import Solution, solve
from memlint.planner.layout import extra
from memlint.planner.problem import Atom, Problem, members
from memlint.planner.tree import Limits

SIZES = (10, 30, 100, 300, 1000)
PACKAGES = 400  # an image
UNIVERSE, DISTRIBUTION, STACKS = 4000, 90, 12
BUDGETS = (0, 5_000_000, 20_000_000, 80_000_000, None)
SECONDS, MEMORY, GROWTH = 10.0, 1_000_000_000, 2.0
LAYERS = 100  # of one image: what tools that make a layer per package allow themselves
GB = 1_000_000_000

Image = Sequence[int]
"""Layers from the bottom up, each a set of atoms."""


def fleet(images: int, seed: int = 1) -> Problem:
    """Images over packages: the lower a package's number, the more images have it."""
    rng = random.Random(seed)  # noqa: S311
    needs = [
        sorted({rng.randrange(each) for _ in range(rng.randint(0, 3))}) if each else [] for each in range(UNIVERSE)
    ]
    closure = [0] * UNIVERSE
    for package, wanted in enumerate(needs):
        closure[package] = reduce(or_, (closure[each] for each in wanted), 1 << package)
    atoms = []
    for package in range(UNIVERSE):
        mapped = 4096 * int(rng.lognormvariate(3.5, 1.8)) if rng.random() < 0.6 else 0
        atoms.append(
            Atom(mapped, int(mapped * rng.uniform(1.2, 3)) + 4096 * rng.randint(1, 100), _choices(needs[package]))
        )
    ground = reduce(or_, closure[:DISTRIBUTION])
    stacks = [
        reduce(or_, (closure[rng.randrange(DISTRIBUTION, UNIVERSE // 3)] for _ in range(60))) for _ in range(STACKS)
    ]
    made = [_image(rng, ground, stacks, closure) for _ in range(images)]
    return Problem(atoms, made, ground)


def _choices(needs: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    return tuple((each,) for each in needs)


def _image(rng: random.Random, ground: int, stacks: Sequence[int], closure: Sequence[int]) -> int:
    have = ground
    for _ in range(rng.randint(1, 2)):
        have |= stacks[min(int(rng.expovariate(0.4)), STACKS - 1)]
    while have.bit_count() < PACKAGES:
        have |= closure[min(DISTRIBUTION + int(8 * rng.paretovariate(0.45)), UNIVERSE - 1)]
    return have


def page_cache(problem: Problem, images: Sequence[Image]) -> int:
    """Of images in layers: each chain of layers holds its own inodes."""
    chains = {tuple(image[: depth + 1]) for image in images for depth in range(len(image))}
    return sum(problem.weigh(chain[-1]) for chain in chains)


def pull(problem: Problem, images: Sequence[Image]) -> int:
    """Each layer once."""
    return sum(problem.size(layer) for layer in {layer for image in images for layer in image})


def same_base(problem: Problem) -> list[Image]:
    """The distribution below, all else in one layer."""
    return [(problem.ground, atoms & ~problem.ground) for atoms in problem.images]


def by_popularity(problem: Problem) -> list[Image]:
    """As nixpkgs does: a layer for each of the most popular packages, these at the bottom, and one for the rest."""
    popular = sorted(range(len(problem.atoms)), key=lambda each: (-problem.holders[each].bit_count(), each))
    return _each_its_own(problem, popular)


def by_size(problem: Problem) -> list[Image]:
    """A layer for each of the largest packages, one for the rest."""
    return _each_its_own(problem, sorted(range(len(problem.atoms)), key=lambda each: -problem.atoms[each].size))


def by_origin(problem: Problem) -> list[Image]:
    """As apko does: ten layers, of the packages of one origin (a dozen each), the largest origins first."""
    found: list[Image] = []
    for atoms in problem.images:
        origins: dict[int, int] = {}
        for atom in members(atoms):
            origins[atom // 12] = origins.get(atom // 12, 0) | 1 << atom
        layers = sorted(origins.values(), key=problem.size, reverse=True)
        found.append((*layers[:9], reduce(or_, layers[9:], 0)))
    return found


def _each_its_own(problem: Problem, order: Sequence[int]) -> list[Image]:
    found: list[Image] = []
    for atoms in problem.images:
        own = [1 << atom for atom in order if atoms >> atom & 1]
        found.append((*own[: LAYERS - 1], reduce(or_, own[LAYERS - 1 :], 0)))
    return found


def planned(problem: Problem, solution: Solution) -> list[Image]:
    """A solution as images in layers. The last of each is its own, even where another image has the same left."""
    layout = solution.layout
    found: list[Image] = []
    for image, atoms in enumerate(problem.images):
        bases = [layout.own(base, problem.ground) for base in layout.path(layout.base_of[image])[::-1]]
        own = atoms & ~layout.carried(image) & ~problem.ground
        found.append((problem.ground, *bases, own | 1 << len(problem.atoms) + image))
    return found


OTHERS: dict[str, Callable[[Problem], list[Image]]] = {
    "no sharing": lambda problem: [(atoms, 1 << len(problem.atoms) + at) for at, atoms in enumerate(problem.images)],
    "same base only": same_base,
    "popularity (nixpkgs)": by_popularity,
    "by origin (apko)": by_origin,
    "greedy by size": by_size,
}


def measure(images: int) -> dict[str, object]:
    """One fleet, in this process."""
    problem = fleet(images)
    start = perf_counter()
    # made anew, so that what a problem prepares is timed as well
    problem = Problem(problem.atoms, problem.images, problem.ground)
    # on the distribution alone, all else is there as often as images have it
    twice = page_cache(problem, same_base(problem)) - problem.ideal()
    frontier = solve(problem, BUDGETS, Limits(saving=max(MIN_SAVING, round(SHARE * twice))))
    seconds = perf_counter() - start
    every = solve(problem, (0,), Limits(saving=MIN_SAVING)).solutions[0]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    names = ["memlint strict", *(f"memlint {budget // 1_000_000} MB" for budget in BUDGETS if budget), "memlint union"]
    names.append("memlint strict, 1 MB")  # with every base that saves so much
    ways: dict[str, object] = {}
    for name, arranged in OTHERS.items():
        layers = arranged(problem)
        if name == "no sharing":
            ways[name] = (sum(map(problem.weigh, problem.images)), sum(map(problem.size, problem.images)))
        else:
            ways[name] = (page_cache(problem, layers), pull(problem, layers))
    for name, solution in zip(names, (*frontier.solutions, every), strict=True):
        layers = planned(problem, solution)
        most = max(extra(problem, solution.layout, image) for image in range(images))
        assert page_cache(problem, layers) == solution.page_cache
        ways[name] = (solution.page_cache, pull(problem, layers), len(solution.layout.parents), most)
    return {"images": images, "seconds": seconds, "rss": rss, "ideal": problem.ideal(), "ways": ways}


def show(found: dict[str, Any]) -> bool:
    """Print a fleet's table; whether the plan is the best of all that give images nothing new."""
    ideal, ways = found["ideal"], found["ways"]
    print(f"\n{found['images']} images: planned in {found['seconds']:.2f} s, {found['rss'] / 1e6:.0f} MB RSS")
    print(f"  {'':22}{'page cache':>12}{'× ideal':>9}{'pull':>12}{'bases':>7}{'extra, most':>13}")
    for name, (cache, pulled, *more) in ways.items():
        bases, extra_bytes = (str(more[0]), f"{more[1] / 1e6:.1f} MB") if more else ("", "")
        print(f"  {name:22}{cache / GB:9.2f} GB{cache / ideal:9.2f}{pulled / GB:9.2f} GB{bases:>7}{extra_bytes:>13}")
    print(f"  {'ideal':22}{ideal / GB:9.2f} GB{1:9.2f}")
    return bool(ways["memlint strict"][0] <= min(ways[name][0] for name in OTHERS))


def verdict(name: str, *, met: bool) -> None:
    print(f"{'met   ' if met else 'MISSED'}  {name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, help="one fleet of so many images, as JSON")
    arguments = parser.parse_args()
    if arguments.images:
        print(json.dumps(measure(arguments.images)))
        return 0
    found: dict[int, dict[str, Any]] = {}
    best = True
    for size in SIZES:
        done = subprocess.run([sys.executable, __file__, "--images", str(size)], capture_output=True, check=True)
        found[size] = json.loads(done.stdout)
        best &= show(found[size])
    largest, smaller = found[1000], found[100]
    growth = float(str(largest["seconds"])) / float(str(smaller["seconds"]))
    print()
    verdict("strict has the least page cache of all on every fleet", met=best)
    verdict(f"1 000 images in at most {SECONDS:.0f} s", met=float(str(largest["seconds"])) <= SECONDS)
    verdict("1 000 images in at most 1 GB", met=int(str(largest["rss"])) <= MEMORY)
    verdict(f"ten times the images cost {growth:.0f} times the seconds: at most 10² times", met=growth <= 10**GROWTH)
    return 0


if __name__ == "__main__":
    sys.exit(main())
