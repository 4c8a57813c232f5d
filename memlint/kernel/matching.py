"""Which running container is of which image."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from memlint.errors import SourceError
from memlint.kernel.residency import Container, Residency, Sight
from memlint.model.image import Image
from memlint.model.measure import Unseen
from memlint.sharing.view import View, Visible
from memlint.sources.derive import short_name
from memlint.sources.reference import DAEMON

_REGISTRIES = ("docker.io/", "index.docker.io/")
_ID = re.compile(r"(sha256:)?[0-9a-f]{12,64}\Z")


def nothing_runs(images: Iterable[Image]) -> SourceError:
    """What to say where no container of any image is there."""
    names = ", ".join(image.ref for image in images)
    return SourceError(f"no container of {names} runs here", "start them, or see with `memlint measure` what runs")


def candidates(containers: Iterable[Container], images: Sequence[Image]) -> list[str]:
    """The IDs of containers that may be of one of the images: their image has its name, or none."""
    return [
        container.id
        for container in containers
        if _unnamed(container) or any(_same_name(container.image, image) for image in images)
    ]


def matched(sight: Sight, images: Sequence[Image], views: Sequence[View]) -> tuple[dict[str, int], tuple[Unseen, ...]]:
    """Container → number of its image; and containers by the name of one that run something else.

    By name, and where a container has only an ID for its image, by content: what it maps lies in one image alone.
    """
    mapped = by_container(sight)
    numbers: dict[str, int] = {}
    unseen = []
    for container in sight.containers:
        files = mapped[container.id]
        named = [number for number, image in enumerate(images) if _same_name(container.image, image)]
        possible = named or (range(len(images)) if _unnamed(container) else ())
        fitting = [number for number in possible if shows(views[number], files)]
        if len(fitting) == 1 or (fitting and named):
            numbers[container.id] = fitting[0]
        elif named and files:
            unseen.append(_another(container))
    return numbers, tuple(unseen)


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


def _same_name(name: str, image: Image) -> bool:
    """A daemon's image goes by its whole name; that of an archive may have lost all but the last part of it."""
    asked = image.ref.removeprefix(f"{DAEMON}:")
    if short_name(asked) == image.name:
        return _normal(name) == _normal(asked)
    return short_name(name) == image.name


def _normal(name: str) -> str:
    """`docker.io/library/web` and `web` are `web:latest`."""
    for registry in _REGISTRIES:
        name = name.removeprefix(registry)
    name = name.removeprefix("library/")
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def _another(container: Container) -> Unseen:
    return Unseen(
        f"container {container.name or container.id[:12]}",
        f"maps files that {container.image} does not have: it runs another build, or others' files",
        "start it anew, and verify again",
        totals=False,
    )


def containers_of(numbers: Mapping[str, int], number: int) -> tuple[str, ...]:
    """The containers of an image."""
    return tuple(container for container, image in numbers.items() if image == number)
