"""All stores of a host, with what they lie on, what bears on their sharing, and warnings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from memlint.kernel.bounds import Bounds, Budget
from memlint.kernel.containers.census import Census, census
from memlint.kernel.containers.running import rootfs_of, surroundings
from memlint.kernel.host import Host, clean, text_or_none
from memlint.kernel.mounts import Mount, mounts, top_mount, unescaped
from memlint.kernel.residency import Container
from memlint.kernel.stores import containerd, containers_storage, docker
from memlint.kernel.stores.interface import UNREADABLE, Asked, Ground, Place
from memlint.kernel.stores.reaching import behind
from memlint.model.measure import Store
from memlint.model.vocabulary import BY_CONTAINER, STORAGE

_PATIENCE = 10.0
"""Seconds for all of them."""
_OVERLAY_OPTIONS = ("metacopy", "redirect_dir", "index")
_OVERLAYS = ("overlay2", "containerd-overlayfs", "containers-storage-overlay", "composefs", "hardlinked")
_INSTEAD = {
    "docker": "Docker's overlay2 would share them by layer chain",
    "containerd": "containerd's overlayfs snapshotter would share them by layer chain",
    "containers-storage": "the overlay driver without a mount_program would share them by layer chain",
}


def stores(
    host: Host | None = None,
    *,
    containers: Iterable[Container] = (),
    seen: Census | None = None,
    budget: Budget | None = None,
) -> list[Store]:
    """The stores in use: those of engines that run or have their usual directories, and those that `containers`
    run on. A store that this user may not read is there, with what is known of it and a warning. `seen` are the
    processes, where they are known already.

    TimeoutError where a `budget` is spent meanwhile, or a file system does not answer.
    """
    host, budget = host or Host(), budget or Budget(Bounds())
    ask = partial(_stores, host, tuple(containers), seen or census(host), budget)
    return budget.ask("stores", ask, _PATIENCE)


def _stores(host: Host, containers: Iterable[Container], seen: Census, budget: Budget) -> list[Store]:
    grounds = [ground for each in containers if (ground := _ground(each, host)) is not None]
    asked = Asked(surroundings(seen, host), tuple(grounds), budget.share)
    places = [*docker.places(asked), *containerd.places(asked), *containers_storage.places(asked)]
    return [_store(place, places, asked) for place in places]


def _ground(container: Container, host: Host) -> Ground | None:
    found = (rootfs_of(pid, host) for pid in container.pids)
    mount = next((mount for mount in found if isinstance(mount, Mount)), None)
    return Ground(container.runtime, container.storage, mount) if mount else None


def _store(place: Place, places: Sequence[Place], asked: Asked) -> Store:
    model = place.model or (_seen_model(place, asked) if place.driver == UNREADABLE else None)
    shared_by = STORAGE[model] if model else None
    return Store(
        engine=place.engine,
        driver=clean(place.driver),
        root=clean(place.root),
        backing=_backing(place, asked.around.host),
        storage=model,
        shared_by=shared_by,
        options={clean(key): clean(value) for key, value in {**_kernel_options(place, asked), **place.options}.items()},
        warnings=(*_on_sharing(place, shared_by), *place.warnings, *_apart(place, places)),
    )


def _backing(place: Place, host: Host) -> str:
    """The file system that holds the store, in the mount namespace that it is reached in; "" where that is hidden."""
    namespace, path = behind(place.reached, host)
    lines = text_or_none(f"{namespace or f'{host.proc}/self'}/mountinfo") or ""
    found = list(mounts(os.fsencode(lines)).values())
    path = path if namespace else os.path.realpath(path)
    while (mount := top_mount(found, path)) is None and path != "/":
        path = os.path.dirname(path)
    return clean(mount.type) if mount else ""


def _kernel_options(place: Place, asked: Asked) -> dict[str, str]:
    """How the kernel mounts overlays, where nobody says otherwise; and what the mounts of its containers say."""
    if place.model not in _OVERLAYS:
        return {}
    parameters = f"{asked.around.host.modules}/overlay/parameters"
    found = {name: (text_or_none(f"{parameters}/{name}") or "").strip() for name in _OVERLAY_OPTIONS}
    options = {name: {"Y": "on", "N": "off"}.get(value, value) for name, value in found.items() if value}
    for ground in _on(place, asked):
        given = dict(_option(each) for each in ground.mount.options.split(b","))
        options |= {name: given[name] for name in _OVERLAY_OPTIONS if name in given}
    return options


def _on(place: Place, asked: Asked) -> Iterator[Ground]:
    """The containers that run on a store."""
    below = f"{place.root}/"
    for ground in asked.grounds:
        if ground.mount.root.startswith(below) or below in unescaped(ground.mount.options):
            yield ground


def _seen_model(place: Place, asked: Asked) -> str | None:
    """The storage model of a store that this user may not read, by the mounts of its containers."""
    return next((ground.storage for ground in _on(place, asked) if ground.storage), None)


def _option(escaped: bytes) -> tuple[str, str]:
    name, _, value = escaped.partition(b"=")
    return unescaped(name), unescaped(value)


def _on_sharing(place: Place, shared_by: str | None) -> list[str]:
    if place.driver == UNREADABLE:
        known = "only the mounts of its containers tell its driver" if shared_by else "its driver is not known"
        return [f"this user may not read {clean(place.root)}, so {known}: run memlint as root"]
    if shared_by is None:
        return [f"what the driver {clean(place.driver)} shares is not known to memlint; only measured frames tell"]
    if shared_by is BY_CONTAINER:
        alone = "each container has its own copy of every page, replicas of one image, too"
        return [f"{clean(place.driver)} shares nothing: {alone}; {_INSTEAD[place.engine]}"]
    return []


def _apart(place: Place, places: Sequence[Place]) -> list[str]:
    """A page has one inode, and an inode one store."""
    others = [each for each in places if each is not place]
    if not others:
        return []
    named = ", ".join(dict.fromkeys(f"{each.engine} {clean(each.driver)} ({clean(each.root)})" for each in others[:3]))
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return [f"its containers share no page with those of the host's other stores: {named}{more}"]
