"""A value that differs in every build is declared below an install that could be shared."""

from __future__ import annotations

from bisect import bisect_left

from memlint import TYPE_CHECKING
from memlint.lint.dependence import prepares
from memlint.lint.edits import moved
from memlint.lint.image import images_of, told_once
from memlint.lint.installing import library_installs, summary
from memlint.lint.varying import Varying, labelled
from memlint.model.finding import Fix, Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Managers
    from memlint.lint.varying import Argument
    from memlint.model.dockerfile import Dockerfile, Instruction

_PASSED = frozenset(("ENV", "ARG", "LABEL", "WORKDIR", "COPY"))
"""What an ARG may be moved over, and RUNs of programs that have no use for the environment of a build."""
_NAMED = 10
"""Installs that a finding names."""


def build_argument_above_install(
    dockerfile: Dockerfile, repository: Repository, *, names: tuple[str, ...], managers: Managers
) -> Iterator[Hit]:
    """Each ARG of `names` (patterns), or of a label about the build, above an install of `managers` that is without it.

    An install that uses the value is another one each time.
    """
    images = images_of(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages, repository, names, managers) for stages in images)


def _in_image(
    dockerfile: Dockerfile,
    stages: Sequence[StageFacts],
    repository: Repository,
    names: Sequence[str],
    managers: Sequence[str],
) -> Iterator[Hit]:
    parts = ((stage, (*(stage.parent.triggered if stage.parent else ()), *stage.steps)) for stage in stages)
    steps = [(stage, step) for stage, own in parts for step in own]
    varying = Varying(names, {name for _, step in steps for name in labelled(step)})
    for number, (_, step) in enumerate(steps):
        varying.pass_by(number, step, library_installs(step, managers, dockerfile, repository))
    moves = _Moves(stages, steps, repository.facts(dockerfile))
    for argument in varying.arguments:
        above = varying.above(argument)
        if above:
            last = varying.installs[above[-1]][0]
            named = [install for _, install in varying.installs[above.start : min(above.start + _NAMED, above.stop)]]
            yield _hit(dockerfile, argument, named, steps[last][1].instruction, moves.fix(argument, last))


def _hit(
    dockerfile: Dockerfile, argument: Argument, above: Sequence[Install], last: Instruction, fix: Fix | None
) -> Hit:
    return Hit(
        location=Location(dockerfile.path, argument.span),
        evidence={"keyword": "ARG", "name": argument.name, "install": summary(above[0])},
        related=tuple(Related(Location(dockerfile.path, install.span), summary(install)) for install in above),
        suggestion=f"declare it behind line {last.span.end_line}, directly before what needs it",
        fix=fix,
    )


class _Moves:
    """Moves ARGs to below installs, where nobody misses them: neither a step between nor another stage."""

    def __init__(self, stages: Sequence[StageFacts], steps: Sequence[tuple[StageFacts, Step]], facts: Facts) -> None:
        self._dockerfile = facts.dockerfile
        self._steps = steps
        self._barriers = [number for number, (_, step) in enumerate(steps) if not _is_passed(step)]
        own = {stage.stage.index for stage in stages}
        others = (each.stage for each in facts.stages if each.stage.index not in own)
        self._branches = sorted({stage.parent for stage in others if stage.parent in own and stage.parent is not None})

    def fix(self, argument: Argument, last: int) -> Fix | None:
        """Moves an ARG to below the step of that number."""
        (declared_in, declaring), (installed_in, installing) = self._steps[argument.number], self._steps[last]
        if len(declaring.instruction.words) != 1 or (argument.spoken is not None and argument.spoken <= last):
            return None
        if _has_any(self._barriers, argument.number, last + 1):
            return None
        if _has_any(self._branches, declared_in.stage.index, installed_in.stage.index):
            return None
        edits = moved(self._dockerfile, declaring.instruction, installing.instruction)
        return Fix(edits, safe=False, description=f"declare {argument.name} behind the installs")


def _is_passed(step: Step) -> bool:
    """Whether it is the same without an ARG that its words do not name: `make` and scripts are told all of them."""
    if step.instruction.keyword != "RUN":
        return step.instruction.keyword in _PASSED
    installs = {(install.span.line, install.span.column) for install in step.installs}
    return step.commands is not None and all(
        prepares(placed.command.name) or (placed.span.line, placed.span.column) in installs for placed in step.commands
    )


def _has_any(numbers: Sequence[int], start: int, end: int) -> bool:
    """Whether one of the sorted numbers is from `start` on and before `end`."""
    at = bisect_left(numbers, start)
    return at < len(numbers) and numbers[at] < end
