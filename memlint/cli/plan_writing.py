"""`memlint plan --write` and `--check`: a plan's directory, made and judged."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from memlint.cli.output import say
from memlint.cli.plan_directory import write_directory
from memlint.cli.plan_services import builder_name
from memlint.errors import DockerfileError, UsageError
from memlint.layers.attributes import Attributes, attributes_of
from memlint.layers.limits import Limits
from memlint.lint.reading import read_bytes
from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Image, Layer
from memlint.model.layer import LayerIndex
from memlint.model.plan import SCHEMA, Plan
from memlint.model.plan_check import Built
from memlint.planner.grounds import Ground
from memlint.planner.write import SCRIPT, write
from memlint.planner.write.dockerfile import mismatch
from memlint.planner.write.follow import followed, leaders
from memlint.planner.write.rewriting import Rewriting, rewritings_of, without_removable
from memlint.planner.write.rigid import ground_layers, made_again
from memlint.planner.write.service import TAG, Service

_T = TypeVar("_T")

PLAN, BUILT = "plan.json", "built.json"
_HINT = "name a directory that `memlint plan --write` made, or the JSON of `memlint plan --format json`"


class Prepared(msgspec.Struct, frozen=True, eq=False):
    """Images as the plan takes them.

    - `images`: without the layers of instructions that change nothing, which `rewritings` tells of.
    - `grounds`: by reference, what its Dockerfile starts from.
    - `follows`: by reference, the other image that its Dockerfile stands on.
    - `stays`: by reference, the files that the image makes again whatever its base has.
    """

    images: tuple[Image, ...]
    rewritings: tuple[Rewriting, ...]
    grounds: dict[str, Ground]
    stays: dict[str, frozenset[str]]
    follows: dict[str, str]


def prepare(
    images: Sequence[Image], indexes: Mapping[DiffID, LayerIndex], services: Sequence[Service], limits: Limits
) -> Prepared:
    """What a plan has to know of the Dockerfiles before it is made."""
    by_image = {image.ref: image for image in images}
    known = {each.ref: each for each in services if mismatch(by_image[each.ref], each) is None}
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
    return Prepared(tuple(left[image.ref] for image in images), rewritings, grounds, stays, leads)


def write_plan(
    plan: Plan,
    plan_json: str,
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    services: Sequence[Service],
    prepared: Prepared,
    directory: str,
    built: Built,
    *,
    force: bool,
) -> None:
    """Write the plan's directory, and say what of it could not be written."""
    sources = {image.ref: builder_name(image.ref) for image in images}
    written = write(plan, images, indexes, services, prepared.rewritings, sources, prepared.follows)
    made = {service.ref: service.repository for service in services if service.ref in written.changes}
    built = msgspec.structs.replace(built, images={image.ref: made.get(image.ref) for image in images})
    described = msgspec.json.format(msgspec.json.encode(built), indent=2).decode() + "\n"
    files = {**written.files, PLAN: plan_json, BUILT: described}
    write_directory(directory, files, [SCRIPT], force=force)
    for each in written.left_out:
        say(f"memlint: note: {each.what}: {each.why}")
    say(f"memlint: note: {directory} was written: build it with {os.path.join(directory, SCRIPT)}")


def read_former(place: str) -> Plan:
    """A former plan, by its JSON or by the directory that it was written to. UsageError where that is not there."""
    plan = _decoded(os.path.join(place, PLAN) if os.path.isdir(place) else place, Plan)
    if plan.schema != SCHEMA:
        raise UsageError(f"{place}: is a {plan.schema}, not a {SCHEMA}", _HINT)
    return plan


def read_plan(directory: str) -> tuple[Plan, Built]:
    """What `write_plan` wrote. UsageError where that is not there."""
    plan = _decoded(os.path.join(directory, PLAN), Plan)
    return plan, _decoded(os.path.join(directory, BUILT), Built)


def new_references(built: Built, images: Sequence[str]) -> list[str]:
    """The images to check, in the plan's order: those named, else what build.sh tagged, else what was not rebuilt."""
    if images:
        if len(images) != len(built.images):
            raise UsageError(
                f"{len(images)} images to check, but the plan is about {len(built.images)}",
                "name all of them in the plan's order, or none: then those that build.sh tagged are taken",
            )
        return list(images)
    tag = os.environ.get("TAG") or TAG
    return [ref if name is None else f"docker-daemon:{name}:{tag}" for ref, name in built.images.items()]


def _decoded(path: str, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(read_bytes(path), type=kind)
    except DockerfileError as error:
        raise UsageError(f"{path}: {error.message}", _HINT) from error
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: is not what memlint wrote ({error})", _HINT) from error


def _reader(limits: Limits) -> Callable[[Layer], Mapping[str, Attributes] | None]:
    known: dict[ChainID, Mapping[str, Attributes] | None] = {}

    def read(layer: Layer) -> Mapping[str, Attributes] | None:
        if layer.chain_id not in known:
            known[layer.chain_id] = attributes_of(layer, limits)
        return known[layer.chain_id]

    return read
