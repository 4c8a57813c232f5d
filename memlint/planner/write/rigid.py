"""Layers whose files no base can take over: what makes them would make them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memlint.lint.places import makers_of
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.planner.write.rewriting import Rewriting, steps_of
from memlint.planner.write.service import Service
from memlint.planner.write.staged import Refused, numbered_reference, staged_copy
from memlint.sharing.view import EMPTY, merge_views


def ground_layers(image: Image, service: Service) -> int:
    """How many layers come from below the Dockerfile."""
    makers = makers_of([layer.created_by for layer in image.layers], service.origin)
    return min(makers, default=len(image.layers))


def made_again(
    image: Image, service: Service | None, rewritings: Sequence[Rewriting], indexes: Mapping[DiffID, LayerIndex]
) -> frozenset[str]:
    """The mapped files that the image makes again above any base: copied up, or put there by what cannot be changed.

    `image` is without what is removed; `rewritings` count its layers as they were. Files of packages are none of
    these: to install what is there changes nothing.
    """
    found = {path for each in rewritings if not each.removable for path in each.paths}
    if service is None:
        return frozenset(found)
    view = merge_views([image], indexes)[image.layers[-1].chain_id] if image.layers else EMPTY
    rigid = _rigid(image, service, indexes)
    for path, file in view.files():
        if file.layer in rigid and not (file.package is not None and rigid[file.layer]):
            found.add(path)
    return frozenset(found)


def _rigid(image: Image, service: Service, indexes: Mapping[DiffID, LayerIndex]) -> dict[int, bool]:
    """The layers whose files are made again, and whether that is by a RUN, which may have installed packages."""
    makers = makers_of([layer.created_by for layer in image.layers], service.origin)
    dockerfile = service.origin.dockerfile
    escape = dockerfile.directives.get("escape", "\\")
    steps = {id(step.instruction): step for step in steps_of(service.origin)}
    found: dict[int, bool] = {}
    for number in range(ground_layers(image, service), len(image.layers)):
        step = steps.get(id(makers.get(number)))
        if step is None:
            found[number] = True
            continue
        paths = frozenset(file.path for file in indexes[image.layers[number].diff_id].files)
        stage = next(each for each in dockerfile.stages if any(one is step.instruction for one in each.instructions))
        refused = isinstance(staged_copy(step, "base", 1, paths, escape), Refused)
        if refused or numbered_reference(dockerfile, stage) is not None:
            found[number] = step.instruction.keyword == "RUN"
    return found
