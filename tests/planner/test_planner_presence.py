"""Containers on several nodes: what a base saves depends on how often the images that share it meet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from math import prod

import pytest
from support.elf import library
from support.fleets import loaded
from support.images import Layer, Spec, image
from support.problems import plain, tangled

from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.exact import best_tree
from memlint.planner.frontier import solve
from memlint.planner.heuristic import good_tree
from memlint.planner.layout import Layout, page_cache
from memlint.planner.planning import plan_images
from memlint.planner.problem import Problem, members
from memlint.planner.tree import Limits, saving
from memlint.planner.weighing import presence
from memlint.sharing.storage import storage_model


def spread(problem: Problem, seed: int) -> Problem:
    """The same images, each of which only some nodes run."""
    rng = random.Random(seed)  # noqa: S311
    present = [rng.choice((0.1, 0.25, 0.5, 1.0)) for _ in problem.images]
    return Problem(problem.atoms, problem.images, problem.ground, present)


def nodes(problem: Problem) -> Iterator[tuple[set[int], float]]:
    """Each way to run some of the images, with how likely it is."""
    for runs in product((False, True), repeat=len(problem.images)):
        chance = prod(share if run else 1 - share for run, share in zip(runs, problem.present, strict=True))
        yield {number for number, run in enumerate(runs) if run}, chance


def held(problem: Problem, layout: Layout, running: set[int]) -> int:
    """The page cache of a node that runs these images: the inodes that they use."""
    inodes = set()
    for number in running:
        bases = layout.path(layout.base_of[number])[::-1]
        for atom in members(problem.images[number]):
            lowest = next((base for base in bases if layout.carries[base] >> atom & 1), f"image {number}")
            inodes.add((atom, "ground" if problem.ground >> atom & 1 else lowest))
    return sum(problem.atoms[atom].weight for atom, _ in inodes)


@pytest.mark.parametrize("seed", range(30))
def test_what_a_node_holds_is_the_mean_over_all_nodes(seed: int) -> None:
    problem = spread(tangled(seed, 8), seed)
    for solution in solve(problem, (0, 5_000_000, None), Limits()).solutions:
        mean = sum(chance * held(problem, solution.layout, running) for running, chance in nodes(problem))
        assert page_cache(problem, solution.layout) == pytest.approx(mean, abs=1)


def best_by_trying(problem: Problem, images: tuple[int, ...]) -> float:
    """The best saving of all trees of bases with two children each; others save no more."""
    if len(images) == 1:
        return 0
    first, *rest = images
    found = []
    for chosen in product((False, True), repeat=len(rest)):
        one = (first, *(each for each, take in zip(rest, chosen, strict=True) if take))
        other = tuple(each for each in images if each not in one)
        if other:
            meet = problem.likely(one) * problem.likely(other)
            value = best_by_trying(problem, one) + best_by_trying(problem, other)
            found.append(value + meet * problem.weigh(problem.common(images)))
    return max(found)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_tree_is_the_best_of_all(seed: int) -> None:
    problem = spread(tangled(seed, 5, 8), seed)
    everyone = tuple(range(len(problem.images)))
    assert saving(problem, best_tree(problem)) == pytest.approx(best_by_trying(problem, everyone))


def test_a_good_tree_is_nearly_the_best() -> None:
    for seed in range(150):
        problem = spread(plain(seed, 10), seed)
        best = saving(problem, best_tree(problem))
        assert 0.98 * best <= saving(problem, good_tree(problem)) <= best + 1, seed


def test_containers_lie_on_as_many_nodes_as_they_can() -> None:
    assert presence([1, 2, 4, 9], 4) == (0.25, 0.5, 1.0, 1.0)
    assert presence([1, 9], 1) == (1.0, 1.0)


def torn() -> list[Spec]:
    """`api` can share one file with `web`, or a larger one with `job`: a chain has one of the two lower."""
    small, large = library("small", pages=400), library("large", pages=500)
    ground = Layer({"etc/os-release": b"ID=debian\nVERSION_ID=12\n"}, "ADD rootfs")
    return [
        image("api", ground, {"opt/small.so": small, "srv/large.so": large}),
        image("web", ground, {"opt/small.so": small}),
        image("job", ground, {"srv/large.so": large}),
    ]


def planned(replicas: list[int], nodes: int, storage: str = "overlay2") -> Plan:
    images, indexes = loaded(*torn())
    options = Options(nodes=nodes, prefer="strict")
    return plan_images(images, replicas, indexes, storage_model(storage), ELF_KINDS, options)


def test_images_that_meet_often_share_before_those_that_share_more() -> None:
    together = planned([1, 1, 1], 1)
    assert [base.images for base in together.bases] == [("api", "job")]
    assert planned([4, 1, 4], 1).bases == together.bases  # replicas on one node share by themselves
    apart = planned([4, 4, 1], 4)
    assert [base.images for base in apart.bases] == [("api", "web")]
    # api is on all four nodes, job on one: 4 × (400 + 500) + 4 × 400 + 1 × 500 pages on four nodes
    assert apart.before.page_cache_bytes == (4 * 900 + 4 * 400 + 500) * 4096 // 4
    assert apart.after.page_cache_bytes == (4 * 900 + 500) * 4096 // 4
    assert apart.before.distinct_bytes == 900 * 4096
    assert sum(each.duplicate_bytes for one in apart.images for each in one.remaining) == apart.after.duplicate_bytes


def test_where_replicas_share_nothing_no_plan_helps() -> None:
    plan = planned([4, 1, 1], 1, "vfs")
    assert plan.bases == ()
    assert plan.before.page_cache_bytes == (4 * 900 + 400 + 500) * 4096
    assert "not even those of one image" in plan.left_out[0].why
