"""A good tree of shared bases for many images: those that have most in common join first, then what helps is moved."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from math import gcd

from memlint.planner.problem import Problem
from memlint.planner.tree import Node, leaf, saving, simplified

_THOROUGH = 64
"""Up to so many images, every subtree is tried at every place; above, each goes down the tree where most is shared."""
_ROUNDS = 8
_OTHER_STARTS = 256


def good_tree(problem: Problem) -> Node:
    """A tree whose saving is near the best."""
    tree = _Tree(problem)
    tree.join()
    tree.improve()
    found = [tree.as_node()]
    count = len(problem.images)
    # another start may end on another hill; few images allow for several
    for order in _orders(count) if count <= _THOROUGH else ():
        tree = _Tree(problem)
        tree.insert(order)
        tree.improve()
        found.append(tree.as_node())
    return simplified(max(found, key=lambda root: saving(problem, root)))


def _orders(count: int) -> Iterator[list[int]]:
    """Some orders of so many images: around the circle from several starts, by steps that meet each of them once."""
    strides = [stride for stride in (1, count - 1, 5, 7) if gcd(stride, count) == 1]
    for number in range(_OTHER_STARTS // count):
        stride, start = strides[number % len(strides)], number // len(strides)
        yield [(start + step * stride) % count for step in range(count)]


def _either(one: float, other: float) -> float:
    """How likely a node runs one of two at least."""
    return one + other - one * other


class _Tree:
    """A binary tree in arrays. The first nodes are the images; each of the others holds what its two children share."""

    def __init__(self, problem: Problem) -> None:
        count = len(problem.images)
        self._problem = problem
        self._weigh, self._closed = problem.weigh, problem.closed
        self._leaves = count
        self._common = list(problem.images) + [0] * max(count - 1, 0)
        self._up = [-1] * len(self._common)
        self._down: list[tuple[int, ...]] = [()] * len(self._common)
        self._likely = [*problem.present, *[0.0] * max(count - 1, 0)]
        self._root = 0

    def join(self) -> None:
        """The two nodes that save most become one, until one is left.

        Of any two, the one offered last has an entry that is no worse than what they save. So the best entry whose
        both nodes are still there is the best of all; one whose partner is gone is offered anew.
        """
        common, size = self._common, [1] * len(self._common)
        alive = dict.fromkeys(range(self._leaves))
        queue: list[tuple[float, int, int, int]] = []
        for one in range(self._leaves - 1):
            self._offer(queue, size, one, range(one + 1, self._leaves))
        new = self._leaves
        while len(alive) > 1:
            _, _, one, other = heapq.heappop(queue)
            if one not in alive:
                continue
            if other not in alive:
                self._offer(queue, size, one, [each for each in alive if each != one])
                continue
            del alive[one], alive[other]
            common[new] = self._closed(common[one] & common[other])
            self._down[new], self._up[one], self._up[other] = (one, other), new, new
            size[new] = size[one] + size[other]
            self._likely[new] = _either(self._likely[one], self._likely[other])
            if alive:
                self._offer(queue, size, new, list(alive))
            alive[new] = None
            self._root, new = new, new + 1

    def insert(self, order: Sequence[int]) -> None:
        """One image after the other goes where it saves most."""
        self._root = order[0]
        for step, node in enumerate(order[1:]):
            self._put(node, self._leaves + step, self._best_place(node, self._root, thorough=True))

    def _put(self, node: int, above: int, target: int) -> None:
        """Hang `node` above `target`, both below `above`."""
        self._replace(target, above)
        self._down[above], self._up[target], self._up[node] = (target, node), above, above
        self._refresh(above)

    def _offer(
        self, queue: list[tuple[float, int, int, int]], size: list[int], one: int, others: Iterable[int]
    ) -> None:
        """Note the node that saves most with `one`; of equals the smallest, so that the tree stays low."""
        common, weigh, likely = self._common, self._weigh, self._likely
        mine = common[one]
        best = min((-weigh(mine & common[other]) * likely[other], size[other], one, other) for other in others)
        heapq.heappush(queue, (best[0] * likely[one], best[1] + size[one], one, best[3]))

    def improve(self) -> None:
        """Move subtrees while that saves more."""
        thorough = self._leaves <= _THOROUGH
        moving = range(len(self._common)) if thorough else range(self._leaves)
        for _ in range(_ROUNDS if thorough else 2):
            if not sum(self._moved(node, thorough=thorough) for node in moving):
                return

    def _moved(self, node: int, *, thorough: bool) -> bool:
        """Take a subtree out and put it where it saves most; whether that is another place."""
        if node == self._root or self._up[node] == self._root == -1:
            return False
        above = self._up[node]
        pair = self._down[above]
        sibling = pair[0] if pair[1] == node else pair[1]
        self._replace(above, sibling)
        self._refresh(self._up[sibling])
        target = self._best_place(node, sibling, thorough=thorough)
        self._put(node, above, target)
        return target != sibling

    def _replace(self, old: int, new: int) -> None:
        """Put `new` where `old` hangs."""
        parent = self._up[old]
        self._up[new] = parent
        if parent < 0:
            self._root = new
            return
        pair = self._down[parent]
        self._down[parent] = (new, pair[1]) if pair[0] == old else (pair[0], new)

    def _refresh(self, node: int) -> None:
        """What the nodes from this one to the root hold."""
        while node >= 0:
            pair = self._down[node]
            self._common[node] = self._closed(self._common[pair[0]] & self._common[pair[1]])
            self._likely[node] = _either(self._likely[pair[0]], self._likely[pair[1]])
            node = self._up[node]

    def _best_place(self, node: int, home: int, *, thorough: bool) -> int:
        """The node above which the subtree saves most; its old place, unless another is better."""
        mine, weigh, closed, likely = self._common[node], self._weigh, self._closed, self._likely
        own = likely[node]
        best, place = self._gain_at(node, home), home
        todo = [(self._root, 0.0)]
        while todo:
            at, loss = todo.pop()
            shared = weigh(closed(self._common[at] & mine))
            if shared * own * likely[at] - loss > best:
                best, place = shared * own * likely[at] - loss, at
            pair = self._down[at]
            if not pair:
                continue
            held = weigh(self._common[at])
            ways = [
                (child, loss + (held * likely[child] - shared * _either(likely[child], own)) * likely[other])
                for child, other in (pair, pair[::-1])
            ]
            if thorough:
                todo += ways
            else:
                todo.append(max(ways, key=lambda way: weigh(self._common[way[0]] & mine) * likely[way[0]]))
        return place

    def _gain_at(self, node: int, place: int) -> float:
        """What a subtree adds to the saving above `place`, less what the nodes above lose by it."""
        mine, own, likely = self._common[node], self._likely[node], self._likely
        gain = self._weigh(self._closed(self._common[place] & mine)) * own * likely[place]
        child, above = place, self._up[place]
        while above >= 0:
            held, pair = self._common[above], self._down[above]
            other = likely[pair[0] if pair[1] == child else pair[1]]
            after = self._weigh(self._closed(held & mine)) * _either(likely[child], own)
            gain += (after - self._weigh(held) * likely[child]) * other
            child, above = above, self._up[above]
        return gain

    def as_node(self) -> Node:
        """The tree as nodes."""
        made = [leaf(self._problem, image) for image in range(self._leaves)]
        nodes: dict[int, Node] = dict(enumerate(made))
        for number in self._bottom_up():
            pair = self._down[number]
            if pair:
                children = [nodes[child] for child in pair]
                images = tuple(sorted(image for child in children for image in child.images))
                nodes[number] = Node(images, self._common[number], children)
        return nodes[self._root]

    def _bottom_up(self) -> list[int]:
        order, todo = [], [self._root]
        while todo:
            node = todo.pop()
            order.append(node)
            todo += self._down[node]
        return order[::-1]
