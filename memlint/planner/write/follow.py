"""Images whose Dockerfile stands on another image of the fleet: they stand on that one's next build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from memlint.dockerfile.reference import parse_base
from memlint.lint.origins import meant
from memlint.model.image import Image
from memlint.planner.write.service import NAMESPACE, Service


class _Fleet:
    def __init__(self, images: Sequence[Image]) -> None:
        self.images = images


def leaders(images: Sequence[Image], services: Sequence[Service]) -> dict[str, str]:
    """Image → the one that its FROM names, by its own name or as a plan calls it, where that is built from a Dockerfile
    here and its layers say the same."""
    by_ref = {image.ref: image for image in images}
    known = {service.ref for service in services}
    built = {f"{NAMESPACE}/service-{service.name}": [service.ref] for service in services}
    fleet = _Fleet(images)
    found: dict[str, str] = {}
    for service in services:
        base = parse_base(service.root.base) if service.root.base else None
        if base is None or base.digest is not None or base.repository == "scratch":
            continue
        name = f"{base.repository}:{base.tag}" if base.tag else base.repository
        own = _chain(by_ref[service.ref])
        candidates = [
            image.ref
            for image in [*meant(fleet, (name,)), *(by_ref[ref] for ref in built.get(base.repository, ()))]
            if image.ref in known and image.ref != service.ref and _is_below(_chain(by_ref[image.ref]), own)
        ]
        if candidates:
            found[service.ref] = candidates[0]
    return {ref: leader for ref, leader in found.items() if not _in_circle(ref, found)}


def followed(ref: str, leads: Mapping[str, str]) -> Iterator[str]:
    """An image and those that it stands on, down to the one on a base from outside."""
    yield ref
    while ref in leads:
        ref = leads[ref]
        yield ref


def in_order(services: Sequence[Service], leads: Mapping[str, str]) -> list[Service]:
    """The services, each after the one that it stands on."""
    return sorted(services, key=lambda service: len(list(followed(service.ref, leads))))


def _chain(image: Image) -> list[str]:
    return [layer.chain_id for layer in image.layers]


def _is_below(one: Sequence[str], other: Sequence[str]) -> bool:
    return bool(one) and list(other[: len(one)]) == list(one)


def _in_circle(ref: str, leads: Mapping[str, str]) -> bool:
    seen = {ref}
    while ref in leads:
        ref = leads[ref]
        if ref in seen:
            return True
        seen.add(ref)
    return False
