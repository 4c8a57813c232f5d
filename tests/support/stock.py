"""The images that a builder has, by what a FROM calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memlint.model.digest import DiffID
from memlint.model.image import BaseImage, Image


class Stock:
    """What names mean now, and the digests that a repository has for images whatever its tags mean."""

    def __init__(
        self,
        named: Mapping[str, Image | BaseImage] | None = None,
        digests: Mapping[str, tuple[str, Image]] | None = None,
    ) -> None:
        self._named = {
            name: each if isinstance(each, BaseImage) else BaseImage(each) for name, each in (named or {}).items()
        }
        self._digests = dict(digests or {})

    def named(self, name: str) -> BaseImage | None:
        return self._named.get(name)

    def digest(self, name: str, diff_ids: Sequence[DiffID]) -> str | None:
        for repository, (digest, image) in self._digests.items():
            if name.startswith(repository) and [layer.diff_id for layer in image.layers] == list(diff_ids):
                return digest
        return None


NOTHING = Stock()
