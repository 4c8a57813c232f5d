"""Changes that need no new base: what one edit of a Dockerfile would make one inode again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from memlint.lint.places import Origin, Places
from memlint.model.finding import Location
from memlint.model.image import Image
from memlint.model.plan import Suggestion
from memlint.model.report import Duplicate, Placement, Report
from memlint.sharing.causes import BASE_DRIFT, COPIED_UP, OTHER_PARENT, REBUILT, REINSTALLED
from memlint.sharing.history import instruction

PIN, MERGE, MOVE, BUILD, REORDER = "pin one digest", "merge a rewrite", "move up", "build once", "reorder"
_SHOWN = 60

_Said = tuple[str, tuple[str, ...], str]


def suggestions(
    report: Report, images: Sequence[Image], origins: Mapping[str, Origin] | None = None
) -> tuple[Suggestion, ...]:
    """What helps most first, with its place where `origins` tells of an image what it is built from.

    What two of them save may be the same bytes.
    """
    by_ref = {image.ref: image for image in images}
    places = Places(report, origins or {})
    found: dict[_Said, int] = defaultdict(int)
    where: dict[_Said, Location | None] = {}
    for duplicate in report.duplicates:
        for placement in _second(duplicate):
            one = _said(placement, duplicate.placements[0], by_ref)
            if one is not None:
                found[one] += duplicate.copy_bytes
                where.setdefault(one, _line(places.of(placement.image, placement.layer)))
    pinned = _pins(report, by_ref, places)
    listed = [Suggestion(*said, saved, where[said]) for said, saved in found.items()]
    return tuple(sorted([*pinned, *listed], key=lambda each: (-each.saved_bytes, each.kind, each.images, each.text)))


def _second(duplicate: Duplicate) -> list[Placement]:
    """One placement of each inode beyond the first."""
    inodes: dict[tuple[str, str], Placement] = {}
    for placement in duplicate.placements:
        if placement.cause is not None:
            inodes.setdefault((placement.chain_id, placement.path), placement)
    return list(inodes.values())


def _said(
    placement: Placement, first: Placement, images: Mapping[str, Image]
) -> tuple[str, tuple[str, ...], str] | None:
    image, other = images[placement.image], images[first.image]
    step, other_step = _step(image, placement.layer), _step(other, first.layer)
    shown = _short(step)
    if placement.cause == COPIED_UP:
        text = f"{image.name}: {shown} rewrites files of lower layers; do it in the instruction that makes them"
        return MERGE, (image.ref,), text
    names = f"{other.name} and {image.name}"
    both = (other.ref, image.ref)
    if placement.cause == OTHER_PARENT:
        return MOVE, both, f"{names} put {shown} on different layers; put it first in both"
    if placement.cause in (REBUILT, REINSTALLED) and step and step == other_step:
        if placement.cause == REBUILT:
            return BUILD, both, f"{names} each built {shown}; build it once, or from one cache"
        return REORDER, both, f"{names} both have {shown}, with other instructions below it; put it first in both"
    return None


def _line(place: Location) -> Location | None:
    """A place in a Dockerfile; None for an image as a whole."""
    return place if place.span is not None else None


def _pins(report: Report, images: Mapping[str, Image], places: Places) -> list[Suggestion]:
    """One for the images whose chains differ from the lowest layer on though they hold the same files."""
    saved = sum(each.causes.get(BASE_DRIFT, 0) * each.copy_bytes for each in report.duplicates)
    if not saved:
        return []
    refs = dict.fromkeys(
        placement.image
        for duplicate in report.duplicates
        if BASE_DRIFT in duplicate.causes
        for placement in duplicate.placements
    )
    chains = Counter(images[ref].layers[0].chain_id for ref in refs)
    text = f"{len(refs)} images stand on {len(chains)} builds of a base: name one by its digest in each FROM"
    lines = (_line(places.of(ref, 0)) for ref in refs)
    return [Suggestion(PIN, tuple(refs), text, saved, next((line for line in lines if line), None))]


def _step(image: Image, layer: int) -> str:
    return instruction(image.layers[layer].created_by)


def _short(step: str) -> str:
    step = step or "an instruction that the history does not give"
    return step if len(step) <= _SHOWN else f"{step[: _SHOWN - 1]}…"
