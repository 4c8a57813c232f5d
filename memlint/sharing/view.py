"""The merged view of an image's layers: what a container sees, and which layer each of it lies in.

Semantics: OCI image-spec, layer.md, "Applying Changesets", as overlayfs shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import msgspec

from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex, MappedFile, Package, Script

LOADER_CACHE = "etc/ld.so.cache"


class Visible(msgspec.Struct, frozen=True, eq=False):
    """A mapped file that a container sees. `layer` counts from 0, bottom first.

    `origin` is the lower layer's file that this one is a mere copy of (same path, same content), or None.
    """

    file: MappedFile
    layer: int
    chain_id: ChainID
    package: Package | None
    origin: Visible | None = None

    def first(self) -> Visible:
        """The lowest file that this one goes back to by copies: itself, if it is none."""
        found = self
        while found.origin is not None:
            found = found.origin
        return found


class Symlink(msgspec.Struct, frozen=True):
    """A symlink's target."""

    target: str


class LoaderCache(msgspec.Struct, frozen=True):
    """What ld.so.cache maps, by name, best first."""

    entries: Mapping[str, tuple[str, ...]]


Node = Visible | Symlink | Script | LoaderCache


class View(msgspec.Struct, frozen=True):
    """The visible mapped files, symlinks and scripts by path; `directories` are all parents of these."""

    nodes: Mapping[str, Node]
    directories: frozenset[str]

    def files(self) -> Iterable[tuple[str, Visible]]:
        """The mapped files, in the order of their paths."""
        nodes = self.nodes
        return ((path, node) for path in sorted(nodes) if isinstance(node := nodes[path], Visible))


EMPTY = View({}, frozenset())


def merge_views(images: Iterable[Image], indexes: Mapping[DiffID, LayerIndex]) -> dict[ChainID, View]:
    """The view of every chain of the images, each chain merged once."""
    views: dict[ChainID, View] = {}
    for image in images:
        below = EMPTY
        for number, layer in enumerate(image.layers):
            view = views.get(layer.chain_id)
            if view is None:
                view = views[layer.chain_id] = stack(below, indexes[layer.diff_id], number, layer.chain_id)
            below = view
    return views


def stack(below: View, layer: LayerIndex, number: int, chain_id: ChainID) -> View:
    """The view after one more layer."""
    nodes = dict(below.nodes)
    for path in _hidden(below, layer):
        del nodes[path]
    added = _nodes(below, layer, number, chain_id)
    nodes.update(added)
    return View(nodes, below.directories | _parents(added))


def _hidden(below: View, layer: LayerIndex) -> set[str]:
    """The paths of `below` that the layer hides."""
    nodes, directories = below.nodes, below.directories
    if not nodes:
        return set()
    hidden = set(nodes.keys() & layer.directories)
    trees: list[str] = []
    names = chain(
        layer.others,
        layer.whiteouts,
        layer.symlinks,
        layer.hardlinks,
        (s.path for s in layer.scripts),
        (f.path for f in layer.files),
    )
    for name in names:
        if name in nodes:
            hidden.add(name)
        elif name in directories:
            trees.append(name + "/")
    trees += [name + "/" if name else "" for name in layer.opaque if not name or name in directories]
    if trees:
        roots = tuple(trees)
        hidden.update(path for path in nodes if path.startswith(roots))
    return hidden


def _nodes(below: View, layer: LayerIndex, number: int, chain_id: ChainID) -> dict[str, Node]:
    added: dict[str, Node] = {path: Symlink(target) for path, target in layer.symlinks.items()}
    added.update((script.path, script) for script in layer.scripts)
    for file in layer.files:
        package = layer.packages[file.package] if file.package is not None else None
        added[file.path] = _visible(below, file, number, chain_id, package)
    for path, target in layer.hardlinks.items():
        # a link to a lower layer's file: whoever unpacks it on a mount copies the file up
        node = below.nodes.get(target)
        if isinstance(node, Visible):
            copied = msgspec.structs.replace(node.file, path=path, link=target)
            added[path] = Visible(copied, number, chain_id, node.package)
    if layer.loader_cache is not None:
        entries: dict[str, tuple[str, ...]] = {}
        for name, path in layer.loader_cache:
            entries[name] = (*entries.get(name, ()), path)
        added[LOADER_CACHE] = LoaderCache(entries)
    return added


def _visible(below: View, file: MappedFile, number: int, chain_id: ChainID, package: Package | None) -> Visible:
    lower = below.nodes.get(file.path)
    if isinstance(lower, Visible) and lower.file.content == file.content:
        return Visible(file, number, chain_id, package or lower.package, lower)
    return Visible(file, number, chain_id, package)


def _parents(paths: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in found:
            found.add(path)
    return frozenset(found)
