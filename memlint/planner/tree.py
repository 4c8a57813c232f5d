"""Trees of shared bases: inner nodes are bases, leaves are images; a base holds what all images below it have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from memlint.planner.problem import Problem


class Node(msgspec.Struct, eq=False):
    """A node over some images. `common` is what they have in common; an image is a node without children."""

    images: tuple[int, ...]
    common: int
    children: list[Node]

    @property
    def is_base(self) -> bool:
        return bool(self.children)


def leaf(problem: Problem, image: int) -> Node:
    """An image."""
    return Node((image,), problem.images[image], [])


def over(problem: Problem, children: list[Node]) -> Node:
    """The node above these."""
    common = children[0].common
    for child in children[1:]:
        common &= child.common
    images = tuple(sorted(image for child in children for image in child.images))
    return Node(images, problem.closed(common), children)


def walk(root: Node) -> Iterator[Node]:
    """All nodes, each after the one above it."""
    todo = [root]
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(node.children)


def saving(problem: Problem, root: Node) -> float:
    """What the tree saves over images that share nothing: of each base what its children have in common, as often as
    they meet on a node."""
    return sum(meeting(problem, node) * problem.weigh(node.common) for node in walk(root) if node.is_base)


def meeting(problem: Problem, node: Node) -> float:
    """How many copies a base makes one on a node: its children less one, where all of them run there."""
    return sum(problem.likely(child.images) for child in node.children) - problem.likely(node.images)


def simplified(root: Node) -> Node:
    """The same saving with fewer bases: one that holds no more than the one below it is one with it."""
    return spliced(root, lambda node, above: node.common == above.common)


def spliced(root: Node, drop: Callable[[Node, Node], bool]) -> Node:
    """The tree without the bases that `drop` names, asked with the one below it: their children move down."""
    result = Node(root.images, root.common, [])
    todo = [(root, result)]
    while todo:
        node, place = todo.pop()
        for child in node.children:
            if child.is_base and drop(child, place):
                todo.append((Node(child.images, child.common, child.children), place))
            elif child.is_base:
                copy = Node(child.images, child.common, [])
                place.children.append(copy)
                todo.append((child, copy))
            else:
                place.children.append(child)
    return result


class Limits(msgspec.Struct, frozen=True):
    """What a plan's bases must keep: how many, how much each saves, and how many stand on each other."""

    bases: int | None = None
    saving: int = 0
    depth: int | None = None


def limited(problem: Problem, root: Node, limits: Limits) -> Node:
    """The tree cut to the limits, each time by the base that saves least. The root is no base: it holds the ground."""
    tree = spliced(root, lambda node, below: _worth(problem, node, below) <= 0)
    while True:
        worst = _worst(problem, tree, limits)
        if worst is None:
            return tree
        tree = spliced(tree, partial(_is, worst))


def _is(one: Node, node: Node, _: Node) -> bool:
    return node is one


def _worst(problem: Problem, tree: Node, limits: Limits) -> Node | None:
    """The next base to go."""
    found: list[tuple[float, int, Node]] = []
    deep = None
    todo = [(tree, 0)]
    while todo:
        node, depth = todo.pop()
        for child in node.children:
            if child.is_base:
                found.append((_worth(problem, child, node), len(found), child))
                todo.append((child, depth + 1))
                if limits.depth is not None and depth + 1 > limits.depth:
                    deep = child
    if not found:
        return None
    least = min(found)
    if least[0] < limits.saving or (limits.bases is not None and len(found) > limits.bases):
        return least[2]
    return deep


def _worth(problem: Problem, node: Node, below: Node) -> float:
    """What a base saves beyond the one that it stands on."""
    return meeting(problem, node) * problem.weigh(node.common & ~below.common & ~problem.ground)
