"""Docker's stores: `DATAROOT/image/DRIVER`, or snapshotters of the containerd that dockerd runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memlint.kernel.containers.docker import data_roots, info, roots_at, sockets
from memlint.kernel.host import entries
from memlint.kernel.stores.containerd import snapshotters
from memlint.kernel.stores.interface import UNREADABLE, Asked, Place
from memlint.kernel.stores.reaching import distinct, filled, readable
from memlint.model.vocabulary import STORAGE

_REMAPPED = re.compile(r"\d+\.\d+\Z")
_SPLIT = (
    "user namespaces are remapped (userns-remap): its images are copies of their own, which share no page with those "
    "of another mapping, or of none"
)


def places(asked: Asked) -> Iterator[Place]:
    """One for each driver that has layers."""
    around = asked.around
    own = (root for mount in asked.mounts("docker") for root in roots_at(mount))
    for root, reached in distinct((*data_roots(around.daemons, around.host), *own), around.host):
        if not readable(reached):
            yield _told(root, reached, asked)
            continue
        yield from _at(root, reached, ())
        for name in entries(reached):
            if _REMAPPED.match(name):
                yield from _at(f"{root}/{name}", f"{reached}/{name}", (_SPLIT,))


def _at(root: str, reached: str, warnings: tuple[str, ...]) -> Iterator[Place]:
    drivers = entries(f"{reached}/image")
    used = [driver for driver in drivers if filled(f"{reached}/image/{driver}/layerdb/sha256")]
    embedded = list(snapshotters("docker", f"{root}/containerd/daemon", f"{reached}/containerd/daemon"))
    for driver in used or ([] if embedded else drivers):
        yield Place("docker", driver, root, reached, _model(driver), warnings=warnings)
    yield from embedded


def _told(root: str, reached: str, asked: Asked) -> Place:
    """What the daemon says of a data root that this user may not read."""
    answers = [info(socket, asked.left) for socket in sockets(asked.around.daemons, asked.around.host)]
    driver = next((driver for place, driver in answers if place == root), UNREADABLE)
    return Place("docker", driver, root, reached, _model(driver))


def _model(driver: str) -> str | None:
    known = {"overlayfs": "containerd-overlayfs"}
    return known.get(driver, driver if driver in STORAGE else None)
