"""Whether chains of other layers hold the same files, so that images may stand on either."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from memlint.layers.contents import contents_of, named_alike
from memlint.layers.limits import Limits
from memlint.model.digest import ContentID, DiffID
from memlint.model.image import Layer
from memlint.model.layer import LayerIndex

Contents = Callable[[Layer], "ContentID | None"]
"""The digest over a layer's entries; None where its bytes are not at hand."""


def reading(limits: Limits) -> Contents:
    """Reads layers again, each once."""
    known: dict[DiffID, ContentID | None] = {}

    def read(layer: Layer) -> ContentID | None:
        if layer.diff_id not in known:
            known[layer.diff_id] = contents_of(layer, limits)
        return known[layer.diff_id]

    return read


class Alike:
    """Compares layer by layer: by their paths first, by all that they hold where these are the same."""

    def __init__(self, indexes: Mapping[DiffID, LayerIndex], contents: Contents | None = None) -> None:
        self._indexes, self._contents = indexes, contents or reading(Limits())

    def __call__(self, one: Sequence[Layer], other: Sequence[Layer]) -> bool:
        """Whether these chains hold the same, but for times; no, where that cannot be told."""
        return len(one) == len(other) and all(map(self._same, one, other))

    def _same(self, one: Layer, other: Layer) -> bool:
        if one.diff_id == other.diff_id:
            return True
        left, right = self._indexes.get(one.diff_id), self._indexes.get(other.diff_id)
        if left is not None and right is not None and not named_alike(left, right):
            return False
        contents = self._contents(one)
        return contents is not None and contents == self._contents(other)
