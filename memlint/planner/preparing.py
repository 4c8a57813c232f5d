"""What a plan has to know of the Dockerfiles before it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from memlint.layers.attributes import Attributes, attributes_of
from memlint.layers.limits import Limits
from memlint.lint.places import Origin
from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Image, Layer
from memlint.model.layer import LayerIndex
from memlint.model.plan import LeftOut, Plan
from memlint.model.units import human_size, plural
from memlint.planner.alike import Alike, Contents
from memlint.planner.former import Standing
from memlint.planner.grounds import Ground
from memlint.planner.guessing import SCRATCH
from memlint.planner.standing import Stock, rests_of
from memlint.planner.write.dockerfile import refusal
from memlint.planner.write.follow import followed, leaders
from memlint.planner.write.rewriting import Reader, Rewriting, rewritings_of, without_removable
from memlint.planner.write.rigid import Again, made_again
from memlint.planner.write.service import Service


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """Images as the plan takes them.

    - `images`: without the layers of instructions that change nothing, which `rewritings` tells of.
    - `grounds`: by reference, what its Dockerfile starts from.
    - `follows`: by reference, the other image that its Dockerfile stands on.
    - `again`: by reference, the files that the image makes again whatever its base has.
    - `apart`: by reference, why an image has to stay as it is.
    - `origins`: by reference, the Dockerfile that an image is built from, as far as its history agrees.
    - `standing`: by reference, the base of the former plan that its Dockerfile names.
    - `taken`: the names of planned bases that are none of the former plan's.
    - `left_out`: Dockerfiles that are of no use; `notes`: what else the reader has to know.
    """

    images: tuple[Image, ...]
    rewritings: tuple[Rewriting, ...]
    grounds: dict[str, Ground]
    again: dict[str, Again]
    follows: dict[str, str]
    apart: dict[str, str]
    origins: dict[str, Origin]
    standing: dict[str, Standing]
    taken: frozenset[str]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def prepare(
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    services: Sequence[Service],
    limits: Limits,
    stock: Stock,
    former: Plan | None = None,
    contents: Contents | None = None,
) -> Prepared:
    """What a plan has to know of the Dockerfiles before it is made.

    `stock` tells of the images that FROMs name, `former` of bases that it planned, `contents` reads layers again.
    """
    by_image = {image.ref: image for image in images}
    apart = dict(_triggered(services, stock))
    unfit = {each.ref: why for each in services if (why := refusal(by_image[each.ref], each)) is not None}
    apart |= {each.ref: unfit[each.ref] for each in services if each.root.base is None}
    known = {each.ref: each for each in services if each.ref not in apart and each.ref not in unfit}
    leads = leaders(images, list(known.values()))
    origins = {ref: service.origin for ref, service in known.items()}
    floors = {ref: len(by_image[leader].layers) for ref, leader in leads.items()}
    found = dict(_rewritings(images, origins, floors, indexes, _reader(limits)))
    alike = Alike(indexes, contents)
    rests = {
        ref: rests_of(by_image[ref], each, stock, alike, former) for ref, each in known.items() if ref not in leads
    }
    left: dict[str, Image] = {}
    grounds: dict[str, Ground] = {}
    again: dict[str, Again] = {}
    for image in images:
        service = known.get(image.ref)
        line = list(followed(image.ref, leads))
        rest = left[image.ref] = without_removable(image, [each for ref in line for each in found[ref]])
        again[image.ref] = made_again(rest, service, found[image.ref], indexes)
        if line[-1] in rests:
            grounds[image.ref] = rests[line[-1]].ground
    return Prepared(
        images=tuple(left[image.ref] for image in images),
        rewritings=tuple(each for image in images for each in found[image.ref]),
        grounds=grounds,
        again=again,
        follows=leads,
        apart=apart | {ref: each.why for ref, each in rests.items() if each.why is not None},
        origins=origins,
        standing={ref: each.on for ref, each in rests.items() if each.on is not None},
        taken=frozenset(each.other for each in rests.values() if each.other is not None),
        left_out=tuple(LeftOut(ref, why) for ref, why in unfit.items() if ref not in apart),
        notes=tuple(_uncounted([each for image in images for each in found[image.ref]])),
    )


def _rewritings(
    images: Sequence[Image],
    origins: Mapping[str, Origin],
    floors: Mapping[str, int],
    indexes: Mapping[DiffID, LayerIndex],
    read: Reader,
) -> Iterator[tuple[str, tuple[Rewriting, ...]]]:
    """Those of each image, by reference; `floors` are the layers of images that others stand on, whose own they are."""
    for image in images:
        own = rewritings_of(image, origins.get(image.ref), indexes, read)
        yield image.ref, tuple(each for each in own if each.layer >= floors.get(image.ref, 0))


def _triggered(services: Sequence[Service], stock: Stock) -> Iterator[tuple[str, str]]:
    """The images whose original base has ONBUILD instructions: these would run where a planned base is built."""
    for service in services:
        base = stock.named(service.root.base) if service.root.base not in (None, SCRATCH) else None
        found = base.image.on_build if base is not None else ()
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


def _reader(limits: Limits) -> Reader:
    known: dict[ChainID, Mapping[str, Attributes] | None] = {}

    def read(layer: Layer) -> Mapping[str, Attributes] | None:
        if layer.chain_id not in known:
            known[layer.chain_id] = attributes_of(layer, limits)
        return known[layer.chain_id]

    return read
