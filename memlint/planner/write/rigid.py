"""Layers whose files no base can take over: what makes them would make them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from memlint.lint.facts import Step
from memlint.lint.places import makers_of
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.planner.write.rewriting import Rewriting
from memlint.planner.write.service import Service
from memlint.planner.write.staged import Refused, lacking, staged_copy
from memlint.sharing.view import EMPTY, View, merge_views


def ground_layers(image: Image, service: Service) -> int:
    """How many layers come from below the Dockerfile."""
    makers = makers_of(image.layers, service.origin)
    return min(makers, default=len(image.layers))


class Again(msgspec.Struct, frozen=True):
    """Mapped files that an image makes again above any base: `stays` in any case, `by_run` those of a RUN, which leaves
    alone what a base has installed. `refused` says of those of `stays` that nothing copies up why no base holds them.
    """

    stays: frozenset[str] = frozenset()
    by_run: frozenset[str] = frozenset()
    refused: Mapping[str, str] = {}


def made_again(
    image: Image, service: Service | None, rewritings: Sequence[Rewriting], indexes: Mapping[DiffID, LayerIndex]
) -> Again:
    """The mapped files that the image makes again: copied up, or put there by what cannot be changed.

    `image` is without what is removed; `rewritings` count its layers as they were.
    """
    stays = {path for each in rewritings if not each.removable for path in each.paths}
    if service is None or not image.layers:
        return Again(frozenset(stays))
    rigid = _rigid(image, service, indexes)
    by_run: set[str] = set()
    refused: dict[str, str] = {}
    for path, file in merge_views([image], indexes)[image.layers[-1].chain_id].files():
        if file.layer not in rigid:
            continue
        why = rigid[file.layer]
        if why is None:
            by_run.add(path)
        else:
            stays.add(path)
            refused[path] = why
    return Again(frozenset(stays), frozenset(by_run), refused)


_ANEW = "its RUN installs anew what is there"
_ANEW_OPTIONS = frozenset(["--force-reinstall", "--ignore-installed", "-I", "--reinstall"])


def ground_view(image: Image, service: Service, indexes: Mapping[DiffID, LayerIndex]) -> View:
    """What the original base of an image shows."""
    depth = ground_layers(image, service)
    return merge_views([image], indexes)[image.layers[depth - 1].chain_id] if depth else EMPTY


def _rigid(image: Image, service: Service, indexes: Mapping[DiffID, LayerIndex]) -> dict[int, str | None]:
    """The layers whose files are made again, and why; None for a RUN that leaves alone what a base has installed."""
    makers = makers_of(image.layers, service.origin)
    lacks = lacking(ground_view(image, service, indexes))
    found: dict[int, str | None] = {}
    for number in range(ground_layers(image, service), len(image.layers)):
        step = service.origin.step_of(makers.get(number))
        if step is None or step.instruction.keyword == "RUN":
            found[number] = _ANEW if step is not None and _installs_anew(step) else None
            continue
        paths = frozenset(file.path for file in indexes[image.layers[number].diff_id].files)
        staged = lacks or staged_copy(step, service.origin.dockerfile, "base", 1, paths)
        if isinstance(staged, Refused):
            found[number] = staged.why
    return found


def _installs_anew(step: Step) -> bool:
    return any(_ANEW_OPTIONS.intersection(install.options) for install in step.installs)
