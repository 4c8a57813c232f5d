"""Which running container is of which image."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from memlint.errors import SourceError
from memlint.kernel.containers.interface import Origin
from memlint.kernel.residency import Container, Residency, Sight
from memlint.model.image import Image
from memlint.model.measure import Unseen
from memlint.sharing.view import View, Visible
from memlint.sources.derive import chain_of, short_name
from memlint.sources.reference import DAEMON

_REGISTRIES = ("docker.io/", "index.docker.io/")
_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}\Z")
_NAMED = 5
"""Containers that a sentence names."""

Standing = Literal["of", "another build", "perhaps", "none"]
"""How a container stands to an image. "perhaps": only what it maps can tell."""


class Provenance(msgspec.Struct, frozen=True):
    """What is known of where containers and images come from.

    `origins` are those of containers by ID. `asked` are the references of the images that come from a daemon, and
    `listed` its containers by ID, with the ID of each one's image; None where it was not asked for them.
    """

    origins: Mapping[str, Origin] = {}
    asked: frozenset[str] = frozenset()
    listed: Mapping[str, str] | None = None

    def standing(self, container: Container, image: Image) -> Standing:
        """By the daemon that the image comes from, else by image ID, else by chain ID: names move, these do not."""
        origin = self.origins.get(container.id, Origin())
        if image.ref in self.asked and self.listed is not None:
            if container.id not in self.listed:
                return "none"
            origin = Origin(self.listed[container.id], origin.chain)
        named = self.is_named(container, image)
        if _is_one_of(origin.image_id, image.ids):
            return "of"
        if origin.chain and (named or _unnamed(container)):
            return "of" if origin.chain == chain_of(image) else _else(named=named)
        if origin.image_id and image.ids:
            return _else(named=named)
        return "perhaps" if named or _unnamed(container) else "none"

    def is_named(self, container: Container, image: Image) -> bool:
        """Whether a container's image has this image's name: a daemon's goes by its whole name, that of an archive may
        have lost all but the last part of it."""
        if image.ref in self.asked:
            return _normal(container.image) == _normal(image.ref.removeprefix(f"{DAEMON}:"))
        return short_name(container.image) == image.name


def _is_one_of(image_id: str, ids: Iterable[str]) -> bool:
    digits = image_id.removeprefix("sha256:")
    return bool(digits) and any(digits == each.removeprefix("sha256:") for each in ids)


def _else(*, named: bool) -> Standing:
    return "another build" if named else "none"


def chosen(
    containers: Iterable[Container], images: Sequence[Image], provenance: Provenance
) -> tuple[list[Container], list[Container]]:
    """The containers that are, or may be, of one of the images; and those that run another build of one."""
    wanted: list[Container] = []
    others: list[Container] = []
    for container in containers:
        standings = {provenance.standing(container, image) for image in images}
        if standings & {"of", "perhaps"}:
            wanted.append(container)
        elif "another build" in standings:
            others.append(container)
    return wanted, others


def nothing_runs(images: Iterable[Image], others: Sequence[Container]) -> SourceError:
    """What to say where no container of any image is there, but for those of other builds perhaps."""
    names = ", ".join(image.ref for image in images)
    if not others:
        return SourceError(f"no container of {names} runs here", "start them, or see with `memlint measure` what runs")
    running = ", ".join(_name(each) for each in others[:_NAMED]) + (", …" if len(others) > _NAMED else "")
    return SourceError(
        f"no container of {names} as it is now runs here: other builds run in {running}",
        "start them anew, or verify the images that they run, by their IDs",
    )


def matched(
    sight: Sight, images: Sequence[Image], views: Sequence[View], provenance: Provenance
) -> tuple[dict[str, int], tuple[Container, ...]]:
    """Container → number of its image; and containers that have the name of one and run another build.

    Where no engine tells, by what a container maps: it must lie in one image alone, unless the image's name is told.
    """
    mapped = by_container(sight)
    numbers: dict[str, int] = {}
    others = []
    for container in sight.containers:
        standings = [provenance.standing(container, image) for image in images]
        named = [number for number, image in enumerate(images) if provenance.is_named(container, image)]
        of = [number for number, standing in enumerate(standings) if standing == "of"]
        files = mapped[container.id]
        perhaps = [number for number, standing in enumerate(standings) if standing == "perhaps"]
        fitting = [number for number in perhaps if shows(views[number], files)]
        if of:
            numbers[container.id] = next((number for number in of if number in named), of[0])
        elif len(fitting) == 1 or (fitting and named):
            numbers[container.id] = fitting[0]
        elif "another build" in standings or (files and any(number in named for number in perhaps)):
            others.append(container)
    return numbers, tuple(others)


def by_container(sight: Sight) -> dict[str, list[Residency]]:
    """Container → what its processes map."""
    containers = {process.pid: process.container for process in sight.processes}
    found: dict[str, list[Residency]] = defaultdict(list)
    for residency in sight.residencies:
        container = containers.get(residency.pid)
        if container is not None:
            found[container].append(residency)
    return found


def visible(view: View, residency: Residency) -> Visible | None:
    """The file of the image that this is, if the image has it with this content."""
    node = view.nodes.get(residency.file.path.removeprefix("/"))
    same = isinstance(node, Visible) and node.file.content == residency.file.content
    return node if same and isinstance(node, Visible) else None


def shows(view: View, files: Sequence[Residency]) -> bool:
    """Whether a container maps a file of the image, and no ELF file of its layers that is not the image's."""
    own = [each for each in files if each.file.held == "lower" and each.file.elf is not None]
    return all(visible(view, each) for each in own) and any(visible(view, each) for each in files)


def _unnamed(container: Container) -> bool:
    return not container.image or _ID.match(container.image) is not None


def _normal(name: str) -> str:
    """`docker.io/library/web` and `web` are `web:latest`."""
    for registry in _REGISTRIES:
        name = name.removeprefix(registry)
    name = name.removeprefix("library/")
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def _name(container: Container) -> str:
    return container.name or container.id[:12]


def another_build(container: Container) -> Unseen:
    """What to say of a container that has an image's name, and is of another one."""
    return Unseen(
        f"container {_name(container)}",
        f"it runs another build of {container.image}, or files of others",
        "start it anew and verify again, or leave it out: --container names those that count",
    )


def containers_of(numbers: Mapping[str, int], number: int) -> tuple[str, ...]:
    """The containers of an image."""
    return tuple(container for container, image in numbers.items() if image == number)
