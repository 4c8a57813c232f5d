"""Layers whose files no base can take over: what makes them would make them again."""

from __future__ import annotations

from collections.abc import Mapping

from memlint.lint.places import makers_of
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.planner.write.rewriting import steps_of
from memlint.planner.write.service import Service
from memlint.planner.write.staged import Refused, numbered_reference, staged_copy


def rigid_layers(image: Image, service: Service, indexes: Mapping[DiffID, LayerIndex]) -> dict[int, str]:
    """Layer (from 0) → why its files that no package owns would be made again above a base that has them.

    Layers below the first instruction of the Dockerfile are the original base's, and no matter.
    """
    makers = makers_of([layer.created_by for layer in image.layers], service.origin)
    dockerfile = service.origin.dockerfile
    escape = dockerfile.directives.get("escape", "\\")
    steps = {id(step.instruction): step for step in steps_of(service.origin)}
    found: dict[int, str] = {}
    for number in range(min(makers, default=len(image.layers)), len(image.layers)):
        step = steps.get(id(makers.get(number)))
        if step is None:
            found[number] = "which instruction made the layer is not known"
            continue
        paths = frozenset(file.path for file in indexes[image.layers[number].diff_id].files)
        staged = staged_copy(step, "base", 1, paths, escape)
        stage = next(each for each in dockerfile.stages if any(one is step.instruction for one in each.instructions))
        if isinstance(staged, Refused):
            found[number] = staged.why
        elif (numbered := numbered_reference(dockerfile, stage)) is not None:
            found[number] = f"line {numbered.span.line} calls a stage by its number: give the stage a name"
    return found
