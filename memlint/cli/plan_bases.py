"""What is known of the images that Dockerfiles name in their FROM, beyond what is in the images built on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from memlint.dockerfile.reference import parse_base
from memlint.lint.origins import meant
from memlint.model.digest import DiffID
from memlint.model.image import BaseImage, Image
from memlint.sources.reference import DAEMON, parse_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memlint.sources.docker_daemon import Daemon


class Bases:
    """The fleet itself, and the daemon that its images come from."""

    def __init__(self, images: Sequence[Image]) -> None:
        self.images = images
        self._asked: dict[str, BaseImage | None] = {}
        self._digests: dict[tuple[str, ...], str | None] = {}

    def named(self, name: str) -> BaseImage | None:
        """What a build would call so now: one of the images, or one of the daemon's; None where neither has it."""
        if name not in self._asked:
            self._asked[name] = self._named(name)
        return self._asked[name]

    def digest(self, name: str, diff_ids: Sequence[DiffID]) -> str | None:
        """The digest by which the repository of this name has the image of these layers, where the daemon knows it."""
        if (key := (name, *diff_ids)) not in self._digests:
            self._digests[key] = self._digest(name, diff_ids)
        return self._digests[key]

    def _digest(self, name: str, diff_ids: Sequence[DiffID]) -> str | None:
        base = parse_base(name)
        if base is None or self._daemon is None:
            return None

        def of_it(digest: str) -> bool:
            other = parse_base(digest)
            return other is not None and other.repository == base.repository

        for found in self._daemon.digested(of_it):
            same = [layer.diff_id for layer in found.image.layers] == list(diff_ids)
            for each in found.digests if same else ():
                if of_it(each):
                    return each.partition("@")[2]
        return None

    def _named(self, name: str) -> BaseImage | None:
        there = self._daemon.base(name) if self._daemon is not None else None
        own = [image for image in self.images for each in meant(self, (name,)) if each is image]
        if not own:
            return there
        same = there is not None and there.image.layers and there.image.layers[-1].chain_id == _chain(own[0])
        return msgspec.structs.replace(there, image=own[0]) if there is not None and same else BaseImage(own[0])

    @cached_property
    def _daemon(self) -> Daemon | None:
        if not any(parse_reference(image.ref).transport == DAEMON for image in self.images):
            return None
        from memlint.sources.docker_daemon import Daemon

        return Daemon()


def _chain(image: Image) -> str | None:
    return image.layers[-1].chain_id if image.layers else None
