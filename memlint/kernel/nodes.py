"""Several hosts' measurements → one table, and where the hosts differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from memlint.model.digest import ContentID
from memlint.model.measure import MeasuredDuplicate, MeasuredTotals, Measurement, is_whole
from memlint.model.nodes import SCHEMA, Node, Nodes, NodesDuplicate
from memlint.model.units import enumerated
from memlint.model.vocabulary import BY_CONTAINER

_BASIS = "measured"
_named = partial(enumerated, most=4)
"""The nodes that a warning names."""
_NONE = "none"


def combined(measurements: Mapping[str, Measurement]) -> Nodes:
    """The measurements of these nodes, each under its name, as one."""
    nodes = tuple(_node(name, measurement) for name, measurement in measurements.items())
    return Nodes(
        SCHEMA,
        _BASIS,
        nodes,
        _summed([node.totals for node in nodes if node.totals is not None]),
        tuple(_duplicates(measurements)),
        (*_sharing_nothing(nodes), *_differing(nodes), *_unseen(nodes), *_in_part(measurements)),
    )


def _node(name: str, measurement: Measurement) -> Node:
    return Node(
        name,
        measurement.kernel,
        measurement.stores,
        len(measurement.containers),
        measurement.totals,
        len(measurement.unseen),
        is_whole(measurement),
    )


def _summed(totals: Sequence[MeasuredTotals]) -> MeasuredTotals | None:
    if not totals:
        return None
    pages = sum(each.file_pages_bytes for each in totals)
    distinct = sum(each.distinct_bytes for each in totals)
    duplicate = sum(each.duplicate_bytes for each in totals)
    return MeasuredTotals(pages, distinct, duplicate, distinct / pages if pages else 1.0)


def _duplicates(measurements: Mapping[str, Measurement]) -> list[NodesDuplicate]:
    found: dict[ContentID, list[tuple[str, MeasuredDuplicate]]] = {}
    for name, measurement in measurements.items():
        for duplicate in measurement.duplicates:
            found.setdefault(duplicate.content, []).append((name, duplicate))
    summed = [_duplicate(each) for each in found.values()]
    return sorted(summed, key=lambda each: (-len(each.nodes), -each.duplicate_bytes, each.path, each.content))


def _duplicate(seen: Sequence[tuple[str, MeasuredDuplicate]]) -> NodesDuplicate:
    first = seen[0][1]
    return NodesDuplicate(
        first.content,
        first.placements[0].path if first.placements else "",
        first.kind,
        first.soname,
        next((each.package for _, each in seen if each.package is not None), None),
        tuple(dict.fromkeys(name for name, _ in seen)),
        sum(each.frames for _, each in seen),
        sum(each.duplicate_bytes for _, each in seen),
    )


def _sharing_nothing(nodes: Iterable[Node]) -> Iterator[str]:
    """One sentence for each driver, with all its nodes."""
    found: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        for store in node.stores:
            if store.shared_by == BY_CONTAINER:
                found.setdefault((store.engine, store.driver), []).append(node.name)
    for (engine, driver), names in found.items():
        yield f"{engine} on {driver} shares nothing, not even between replicas of one image: {_named(names)}"


def _differing(nodes: Sequence[Node]) -> Iterator[str]:
    """What should be equal on nodes that are to share alike, and is not."""
    yield from _parted("engines and drivers", nodes, _stores)
    yield from _parted("backing file systems", nodes, _backings)
    for key in sorted({key for node in nodes for key in _options(node)}):
        has = [node for node in nodes if key[:2] in {(store.engine, store.driver) for store in node.stores}]
        yield from _parted(f"option {key[2]} of {key[0]} on {key[1]}", has, _option(key))
    yield from _parted("kernels", nodes, lambda node: node.kernel.release)
    yield from _parted("machines", nodes, lambda node: node.kernel.machine)
    yield from _parted("page sizes", nodes, lambda node: f"{node.kernel.page_bytes} bytes")


def _parted(what: str, nodes: Sequence[Node], told: Callable[[Node], str]) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for node in nodes:
        groups.setdefault(told(node), []).append(node.name)
    if len(groups) > 1:
        parts = sorted(groups.items(), key=lambda group: -len(group[1]))
        yield f"nodes differ in {what}: {'; '.join(f'{value} on {_named(names)}' for value, names in parts)}"


def _stores(node: Node) -> str:
    return " + ".join(sorted({f"{store.engine} {store.driver}" for store in node.stores})) or _NONE


def _backings(node: Node) -> str:
    return " + ".join(sorted({store.backing for store in node.stores if store.backing})) or _NONE


def _options(node: Node) -> dict[tuple[str, str, str], str]:
    return {(store.engine, store.driver, name): value for store in node.stores for name, value in store.options.items()}


def _option(key: tuple[str, str, str]) -> Callable[[Node], str]:
    return lambda node: _options(node).get(key, "not set")


def _unseen(nodes: Sequence[Node]) -> Iterator[str]:
    blind = [node.name for node in nodes if node.totals is None]
    if blind:
        yield f"no page frame could be seen, so the sums are without them (measure as root): {_named(blind)}"
    partly = [node.name for node in nodes if node.totals is not None and node.unseen]
    if partly:
        yield f"not all could be seen; each node's own measurement says what: {_named(partly)}"
    empty = [node.name for node in nodes if not node.containers]
    if empty:
        yield f"no container ran when these were measured: {_named(empty)}"


def _in_part(measurements: Mapping[str, Measurement]) -> Iterator[str]:
    sampled = [name for name, each in measurements.items() if each.totals is not None and each.cost.sampled < 1]
    narrowed = [name for name, each in measurements.items() if each.narrowed]
    if narrowed:
        yield f"only some of what runs was asked for when these were measured: {_named(narrowed)}"
    if sampled:
        yield f"only a sample of the processes was looked into, so the sums are without the rest: {_named(sampled)}"
