"""From which instruction of a Dockerfile a layer of an image comes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

import msgspec

from memlint.lint.facts import Step, facts_of
from memlint.model.dockerfile import Dockerfile, Instruction, Stage
from memlint.model.finding import Location
from memlint.model.image import Layer
from memlint.model.report import ImageReport, LayerReport, Report
from memlint.sharing.history import instruction as as_instruction

_MAKE_LAYERS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_MOST = 1000
"""Instructions of a chain that are compared with layers; an image has at most 125 of these."""


class Origin(msgspec.Struct, frozen=True, eq=False, dict=True):
    """The Dockerfile and the stage that an image was built from."""

    dockerfile: Dockerfile
    stage: Stage

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps whose layers the image has, the lowest first."""
        facts = facts_of(self.dockerfile)
        return tuple(step for stage in facts.stages[self.stage.index].lineage for step in stage.steps)

    def step_of(self, instruction: Instruction | None) -> Step | None:
        """The one of these that an instruction is."""
        return self._by_instruction.get(id(instruction))

    @cached_property
    def _by_instruction(self) -> dict[int, Step]:
        return {id(step.instruction): step for step in self.steps}


class Places:
    """Finds the place of a layer: the instruction that made it, where it is known which Dockerfile that is in."""

    def __init__(self, report: Report, origins: Mapping[str, Origin]) -> None:
        images = {image.ref: image for image in report.images}
        self._places = {ref: _places(images[ref], origin) for ref, origin in origins.items() if ref in images}

    def of(self, ref: str, layer: int) -> Location:
        """The instruction that made the layer (counted from 0), its base's FROM, or the image as a whole."""
        known = self._places.get(ref)
        return known[layer] if known and layer < len(known) else Location(ref)


def stage_of(dockerfile: Dockerfile, target: str | None) -> Stage | None:
    """The stage that is built: the last of that name, or the one of that number; by default the last of all."""
    wanted = None if target is None else target.lower()
    found = (stage for stage in reversed(dockerfile.stages) if wanted in (None, stage.name, str(stage.index)))
    return next(found, None)


def chain_of(dockerfile: Dockerfile, stage: Stage) -> tuple[Stage, ...]:
    """The stage and those it is built on, the lowest first."""
    chain = [stage]
    while chain[0].parent is not None and len(chain) <= len(dockerfile.stages):
        chain.insert(0, dockerfile.stages[chain[0].parent])
    return tuple(chain)


def makers_of(layers: Iterable[Layer | LayerReport], origin: Origin) -> dict[int, Instruction]:
    """Layer (counted from 0) → the instruction that made it, where their `created_by` tells."""
    steps = list(_steps(origin))[-_MOST:]
    return _aligned([as_instruction(layer.created_by) for layer in layers], steps)


def _places(image: ImageReport, origin: Origin) -> list[Location]:
    """The place of each layer of an image."""
    path, chain = origin.dockerfile.path, chain_of(origin.dockerfile, origin.stage)
    found = makers_of(image.layers, origin)
    base, own = Location(path, chain[0].base_span), Location(path, origin.stage.source.span)
    lowest = min(found, default=None)
    return [
        Location(path, found[number].span) if number in found else base if lowest is None or number < lowest else own
        for number in range(len(image.layers))
    ]


class _Step(msgspec.Struct, frozen=True, eq=False):
    """An instruction as a history may tell of it: any of the `texts`, or the keyword with one of the destinations."""

    instruction: Instruction
    texts: tuple[str, ...]
    destinations: frozenset[str]


def _steps(origin: Origin) -> Iterator[_Step]:
    for step in origin.steps:
        if step.instruction.keyword in _MAKE_LAYERS:
            texts = _commands(step.instruction) if step.instruction.keyword == "RUN" else ()
            yield _Step(step.instruction, texts, _destinations(step))


def _commands(instruction: Instruction) -> tuple[str, ...]:
    """What a RUN runs, on one line."""
    value = " ".join(instruction.value.split())
    plain = " ".join(word.text for word in instruction.words) if instruction.json else value
    bodies = [" ".join(heredoc.content.split()) for heredoc in instruction.heredocs]
    return tuple(text for text in (plain, *bodies, " ".join((value, *bodies))) if text)


def _destinations(step: Step) -> frozenset[str]:
    """Where a COPY, ADD or WORKDIR leads, as it is written and from the root."""
    words = step.instruction.words
    if step.instruction.keyword == "RUN" or not words:
        return frozenset()
    last = words[-1].text
    written = step.expanded(last) or last
    return frozenset(_normal(path) for path in (written, posixpath.join(step.directory or "", written)))


def _normal(path: str) -> str:
    return posixpath.normpath(path.strip("'\"") or ".").lstrip("/")


def _aligned(layers: Sequence[str], steps: Sequence[_Step]) -> dict[int, Instruction]:
    """Layer → its instruction: the longest common subsequence, and of several the one nearest the top."""
    table = [[0] * (len(steps) + 1)]
    for layer in layers:
        above = table[-1]
        row = [0]
        for (corner, up), step in zip(pairwise(above), steps, strict=True):
            row.append(corner + 1 if _made(layer, step) else max(up, row[-1]))
        table.append(row)
    found: dict[int, Instruction] = {}
    number, at = len(layers), len(steps)
    while number and at:
        if _made(layers[number - 1], steps[at - 1]):
            number, at = number - 1, at - 1
            found[number] = steps[at].instruction
        elif table[number - 1][at] > table[number][at - 1]:
            number -= 1
        else:
            at -= 1
    return found


def _made(layer: str, step: _Step) -> bool:
    """Whether a history entry tells of an instruction."""
    keyword, _, rest = layer.partition(" ")
    if keyword != step.instruction.keyword:
        return False
    if keyword == "RUN":
        return any(_runs(rest, text) for text in step.texts)
    words = rest.split()
    return bool(words) and _normal(words[-1]) in step.destinations


def _runs(rest: str, text: str) -> bool:
    """Whether a history tells of that command: perhaps without its `set -e`, or behind a shell that is not sh."""
    if rest == text or (text.startswith("set -") and text.endswith(f"; {rest}")):
        return True
    return rest.startswith(("/", "|")) and rest.endswith(f" {text}")
