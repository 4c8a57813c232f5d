"""What is known of the images that Dockerfiles name in their FROM, beyond what is in the images built on them."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.lint.origins import meant
from memlint.model.image import Image
from memlint.sources.reference import DAEMON, parse_reference


class Bases:
    """The fleet itself, and the daemon that its images come from."""

    def __init__(self, images: Sequence[Image]) -> None:
        self.images = images
        self._asked: dict[str, tuple[str, ...]] = {}

    def triggers(self, name: str) -> tuple[str, ...]:
        """The ONBUILD instructions of a base, where it is one of the images or the daemon has it."""
        if name not in self._asked:
            own = [image for image in self.images for each in meant(self, (name,)) if each is image]
            self._asked[name] = own[0].on_build if own else self._of_daemon(name)
        return self._asked[name]

    def _of_daemon(self, name: str) -> tuple[str, ...]:
        if not any(parse_reference(image.ref).transport == DAEMON for image in self.images):
            return ()
        from memlint.sources.docker_daemon import Daemon

        return Daemon().triggers(name)
