"""Several hosts' measurements side by side. The JSON of `memlint nodes` is this; units are bytes."""

from __future__ import annotations

import msgspec

from memlint.model.digest import ContentID
from memlint.model.layer import Package
from memlint.model.measure import Kernel, MeasuredTotals, Store

SCHEMA = "memlint.nodes/1"


class Node(msgspec.Struct, frozen=True):
    """A host. `totals` is None where no frame could be seen; `unseen` is how much was not.

    `whole` is whether the totals miss nothing that is known to be missing: of a sample they miss the rest.
    """

    name: str
    kernel: Kernel
    stores: tuple[Store, ...]
    containers: int
    totals: MeasuredTotals | None
    unseen: int
    whole: bool = True


class NodesDuplicate(msgspec.Struct, frozen=True):
    """A content that is duplicated on these nodes. `duplicate_bytes` and `frames` are sums over them; `path` is where
    the first of them maps it."""

    content: ContentID
    path: str
    kind: str
    soname: str | None
    package: Package | None
    nodes: tuple[str, ...]
    frames: int
    duplicate_bytes: int


class Nodes(msgspec.Struct, frozen=True):
    """`totals` are sums over the nodes whose frames could be seen, None where there is none: a content that lies in RAM
    once on each node is distinct on each. `duplicates` are ordered by nodes, then by bytes."""

    schema: str
    basis: str
    nodes: tuple[Node, ...]
    totals: MeasuredTotals | None
    duplicates: tuple[NodesDuplicate, ...]
    warnings: tuple[str, ...]
