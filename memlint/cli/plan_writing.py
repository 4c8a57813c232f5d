"""`memlint plan --write` and `--check`: a plan's directory, made and judged."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from memlint.cli.output import say
from memlint.cli.plan_directory import Stays, write_directory
from memlint.cli.plan_services import sources_of
from memlint.errors import UsageError
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import SCHEMA, Plan
from memlint.model.plan_check import Built
from memlint.planner.preparing import Prepared
from memlint.planner.write import SCRIPT, write
from memlint.planner.write.service import TAG, Service
from memlint.report.json import to_json
from memlint.sources.document import Kind, read_document

PLAN, BUILT = "plan.json", "built.json"
_HINT = "name a directory that `memlint plan --write` made, or the JSON of `memlint plan --format json`"
_PLAN = Kind(Plan, SCHEMA, "plan", _HINT)
_BUILT = Kind(Built, None, "part of a plan", _HINT)


def write_plan(
    plan: Plan,
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    services: Sequence[Service],
    prepared: Prepared,
    directory: str,
    built: Built,
    *,
    force: bool,
) -> Plan:
    """Write the plan's directory, and say what of it could not be written; the plan as it was written."""
    sources = sources_of(images, directory)
    written = write(plan, images, indexes, services, prepared.rewritings, sources, prepared.follows)
    made = {service.ref: service for service in services if service.ref in written.changes}
    built = msgspec.structs.replace(
        built,
        images={image.ref: made[image.ref].repository if image.ref in made else None for image in images},
        variants={ref: service.variant for ref, service in made.items() if service.variant},
    )
    files = {**written.files, PLAN: to_json(written.plan), BUILT: to_json(built)}
    say_what_stays(directory, write_directory(directory, files, [SCRIPT], force=force))
    for each in written.left_out:
        say(f"memlint: note: {each.what}: {each.why}")
    say(f"memlint: note: {directory} was written: build it with {os.path.join(directory, SCRIPT)}")
    return written.plan


def say_what_stays(directory: str, stays: Stays) -> None:
    """What was in the directory, and memlint did not write it so."""
    for path in stays.changed:
        say(f"memlint: note: {os.path.join(directory, path)} is of a former plan and was changed since: it stays")
    for path, name in stays.aside:
        say(f"memlint: note: {os.path.join(directory, path)} was not as memlint wrote it: it is {name} now")


def read_former(place: str) -> Plan:
    """A former plan, by its JSON or by the directory that it was written to. UsageError where that is not there."""
    return read_document(os.path.join(place, PLAN) if os.path.isdir(place) else place, _PLAN)


def read_plan(directory: str) -> tuple[Plan, Built]:
    """What `write_plan` wrote. UsageError where that is not there."""
    place = os.path.join(directory, PLAN)
    if os.path.isfile(place) and not os.path.lexists(os.path.join(directory, BUILT)):
        raise UsageError(
            f"{directory}: is a plan of Dockerfiles alone, which predicts no bytes",
            "compare the images built from it: memlint compare IMAGE…",
        )
    return (
        read_document(os.path.join(directory, PLAN), _PLAN),
        read_document(os.path.join(directory, BUILT), _BUILT),
    )


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
    return [
        ref if name is None else f"docker-daemon:{name}:{tag}{built.variants.get(ref, '')}"
        for ref, name in built.images.items()
    ]
