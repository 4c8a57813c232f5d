"""What of nodes the formats for people have in common: headings, figures and sentences."""

from __future__ import annotations

from memlint.model.measure import MeasuredTotals
from memlint.model.nodes import Node, Nodes, NodesDuplicate
from memlint.model.units import human_size, percent, plural

NODE = ("node", "kernel", "store", "shares by", "containers", "file pages", "duplicate", "efficiency")
FIGURES = NODE[4:]
DUPLICATE = ("duplicate", "nodes", "frames", "file", "package")
_UNKNOWN = "–"


def headline(nodes: Nodes) -> str:
    """How many of what, and the basis."""
    containers = sum(node.containers for node in nodes.nodes)
    return (
        f"{plural(len(nodes.nodes), 'node')}, {plural(containers, 'container')}.  Measured (page frames of each node):"
    )


def sums(totals: MeasuredTotals) -> str:
    """The totals of all nodes."""
    return (
        f"file pages {human_size(totals.file_pages_bytes)} = distinct {human_size(totals.distinct_bytes)}"
        f" + duplicate {human_size(totals.duplicate_bytes)}   sharing efficiency {percent(totals.efficiency)}"
    )


def cells(node: Node) -> list[str]:
    """What the table says of a node, in the order of its headings."""
    stores = ", ".join(dict.fromkeys(f"{store.engine} {store.driver}" for store in node.stores)) or "none found"
    by = ", ".join(dict.fromkeys(store.shared_by or "unknown" for store in node.stores)) or _UNKNOWN
    totals = node.totals
    figures = (
        [human_size(totals.file_pages_bytes), human_size(totals.duplicate_bytes), percent(totals.efficiency)]
        if totals is not None
        else [_UNKNOWN] * 3
    )
    return [node.name, node.kernel.release, stores, by, str(node.containers), *figures]


def listed(duplicate: NodesDuplicate) -> list[str]:
    """What the table says of a duplicate, in the order of its headings."""
    package = f"{duplicate.package.name} {duplicate.package.version}" if duplicate.package else ""
    counts = (str(len(duplicate.nodes)), str(duplicate.frames))
    return [human_size(duplicate.duplicate_bytes), *counts, duplicate.path or duplicate.content, package]


def more(nodes: Nodes, top: int) -> str:
    """A line for what is not listed."""
    return f"… {len(nodes.duplicates) - top} more (--top)"
