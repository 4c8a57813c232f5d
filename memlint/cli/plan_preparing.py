"""What a plan has to know of the Dockerfiles before it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from memlint.layers.attributes import Attributes, attributes_of
from memlint.layers.limits import Limits
from memlint.lint.places import Origin
from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Image, Layer
from memlint.model.layer import LayerIndex
from memlint.model.units import human_size, plural
from memlint.planner.grounds import Ground
from memlint.planner.write.dockerfile import mismatch
from memlint.planner.write.follow import followed, leaders
from memlint.planner.write.rewriting import Rewriting, rewritings_of, without_removable
from memlint.planner.write.rigid import ground_layers, made_again
from memlint.planner.write.service import Service

Triggers = Callable[[str], Sequence[str]]
"""The ONBUILD instructions of a base, by its name."""


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """Images as the plan takes them.

    - `images`: without the layers of instructions that change nothing, which `rewritings` tells of.
    - `grounds`: by reference, what its Dockerfile starts from.
    - `follows`: by reference, the other image that its Dockerfile stands on.
    - `stays`: by reference, the files that the image makes again whatever its base has.
    - `apart`: by reference, why an image has to stay as it is.
    - `origins`: by reference, the Dockerfile that an image is built from, as far as its history agrees.
    - `notes`: what the reader has to know of all this.
    """

    images: tuple[Image, ...]
    rewritings: tuple[Rewriting, ...]
    grounds: dict[str, Ground]
    stays: dict[str, frozenset[str]]
    follows: dict[str, str]
    apart: dict[str, str]
    origins: dict[str, Origin]
    notes: tuple[str, ...]


def prepare(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    services: Sequence[Service],
    limits: Limits,
    triggers: Triggers,
) -> Prepared:
    """What a plan has to know of the Dockerfiles before it is made. `triggers` are the ONBUILD of a base, by name."""
    by_image = {image.ref: image for image in images}
    apart = dict(_triggered(services, triggers))
    known = {
        each.ref: each for each in services if each.ref not in apart and mismatch(by_image[each.ref], each) is None
    }
    leads = leaders(images, list(known.values()))
    read = _reader(limits)
    found: dict[str, tuple[Rewriting, ...]] = {}
    for image in images:
        service, leader = known.get(image.ref), leads.get(image.ref)
        own = rewritings_of(image, service.origin if service else None, indexes, read)
        floor = len(by_image[leader].layers) if leader is not None else 0
        found[image.ref] = tuple(each for each in own if each.layer >= floor)
    left: dict[str, Image] = {}
    grounds: dict[str, Ground] = {}
    stays: dict[str, frozenset[str]] = {}
    for image in images:
        service = known.get(image.ref)
        line = list(followed(image.ref, leads))
        rest = left[image.ref] = without_removable(image, [each for ref in line for each in found[ref]])
        stays[image.ref] = made_again(rest, service, found[image.ref], indexes)
        lowest = known.get(line[-1])
        if lowest is not None and lowest.root.base is not None:
            grounds[image.ref] = Ground(lowest.root.base, ground_layers(by_image[lowest.ref], lowest))
    rewritings = tuple(each for image in images for each in found[image.ref])
    origins = {ref: service.origin for ref, service in known.items()}
    prepared = tuple(left[image.ref] for image in images)
    return Prepared(prepared, rewritings, grounds, stays, leads, apart, origins, tuple(_uncounted(rewritings)))


def _triggered(services: Sequence[Service], triggers: Triggers) -> Iterator[tuple[str, str]]:
    """The images whose original base has ONBUILD instructions: these would run where a planned base is built."""
    for service in services:
        found = triggers(service.root.base) if service.root.base is not None else ()
        if found:
            runs = f"{found[0]}{f' and {len(found) - 1} more' if len(found) > 1 else ''}"
            where = f"its base {service.root.base} has ONBUILD {runs}, which would run in the build of a planned base"
            yield service.ref, f"{where}: put these instructions into its Dockerfile, on a base without them"


def _uncounted(rewritings: Sequence[Rewriting]) -> Iterator[str]:
    """What moving instructions saves is known only when the Dockerfiles are written."""
    may = [each for each in rewritings if each.simple and not each.removable]
    if may:
        size = human_size(sum(each.copied_bytes for each in may))
        yield (
            f"{plural(len(may), 'instruction')} that change modes or owners copy up {size}: where --write can move one"
            " into a base or into the RUN that makes the files, it saves that beyond these figures"
        )


def _reader(limits: Limits) -> Callable[[Layer], Mapping[str, Attributes] | None]:
    known: dict[ChainID, Mapping[str, Attributes] | None] = {}

    def read(layer: Layer) -> Mapping[str, Attributes] | None:
        if layer.chain_id not in known:
            known[layer.chain_id] = attributes_of(layer, limits)
        return known[layer.chain_id]

    return read
