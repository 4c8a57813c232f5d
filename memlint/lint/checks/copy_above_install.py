"""The build context, or what is built from it, is copied below an install that could be shared."""

from __future__ import annotations

import re
from itertools import islice

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.dependence import is_in_the_way, is_independent, needing_nothing
from memlint.lint.edits import moved
from memlint.lint.image import copy_of, images_of, told_once
from memlint.lint.installing import Installed, context_file, library_installs, summary
from memlint.lint.paths import join
from memlint.lint.reached import UNKNOWN
from memlint.model.finding import Fix, Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.image import Copy
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Managers
    from memlint.model.dockerfile import Dockerfile

_SOURCE_DIRECTORIES = frozenset(("src", "app", "lib", "server", "backend", "api", "code", "cmd", "internal", "pkg"))
_RESULT = r"(?:\./)?(?:target|build|dist|out|bin)/|.*\.(?:jar|war|ear)\Z"
_TRIED = 8
"""Copies of a stage that are looked at: what follows the first mostly adds to it."""
_NAMED = 10
"""Installs that a finding names."""


class _Stage(msgspec.Struct, frozen=True):
    """Steps of a stage, and which installs of each count."""

    steps: tuple[Step, ...]
    installs: tuple[tuple[Install, ...], ...]

    @property
    def last(self) -> int:
        """The number of the last step with an install; -1 when there is none."""
        return max((number for number, installs in enumerate(self.installs) if installs), default=-1)


def copy_above_install(dockerfile: Dockerfile, repository: Repository, *, managers: Managers) -> Iterator[Hit]:
    """The first copy that changes with the source, with the installs of `managers` above it that do not need it.

    Those of the copy's own stage: one that others are built on is an image in itself, and needs its source.
    """
    if _chooses_context(dockerfile, repository):
        return iter(())
    images = images_of(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages, repository, managers) for stages in images)


def _in_image(
    dockerfile: Dockerfile, stages: Sequence[StageFacts], repository: Repository, managers: Sequence[str]
) -> Iterator[Hit]:
    facts = repository.facts(dockerfile)
    there = Installed(facts)
    for steps in (each for stage in stages for each in (stage.steps, stage.triggered)):
        installs = (library_installs(step, managers, dockerfile, repository) for step in steps)
        stage, done = _Stage(steps, tuple(installs)), 0
        for number, copy in islice(_changing(stage, facts), _TRIED):
            there.add(steps[done:number])
            done = number
            runs = zip(steps[number + 1 :], stage.installs[number + 1 :], strict=True)
            needless = needing_nothing(runs, _target(copy, steps[number]))
            above = [(step, install) for step, install in needless if not there.has(install)]
            if above:
                yield _hit(dockerfile, stage, number, copy, above)
                return  # those that follow only add to it
        there.add(steps[done:])


def _chooses_context(dockerfile: Dockerfile, repository: Repository) -> bool:
    """Whether .dockerignore leaves out everything and lets single files in: then `.` is no broad context."""
    text = context_file(".dockerignore", dockerfile, repository) or ""
    return any(line.strip() in ("*", "**", "./*", "/*") for line in text.split("\n"))


def _changing(stage: _Stage, facts: Facts) -> Iterator[tuple[int, Copy]]:
    """The copies below an install that change with the source, with the numbers of their steps."""
    for number, step in enumerate(stage.steps[: max(stage.last, 0)]):
        copy = copy_of(step, facts)
        if copy is not None and _changes(copy):
            yield number, copy


def _changes(copy: Copy) -> bool:
    if copy.stage is not None:
        return False
    if copy.broad:
        return True
    return any(source.strip("./") in _SOURCE_DIRECTORIES or re.match(_RESULT, source) for source in copy.sources)


def _target(copy: Copy, step: Step) -> str | None:
    """Where it copies to; where the base sets the directory, from there on."""
    if copy.target is not None:
        return copy.target
    written = step.expanded(copy.instruction.words[-1].text)
    return None if written is None else join(UNKNOWN, written)


def _hit(dockerfile: Dockerfile, stage: _Stage, number: int, copy: Copy, above: Sequence[tuple[Step, Install]]) -> Hit:
    first, last = above[0][0].instruction, above[-1][0].instruction
    end = next(at for at, step in enumerate(stage.steps) if step.instruction is last)
    between = range(number + 1, end + 1)
    written = f"{copy.instruction.keyword} {copy.instruction.value}".split("\n")[0]
    files = next((install.files for _, install in above if install.files), ())
    entangled = any(is_in_the_way(stage.steps[at], stage.installs[at], copy) for at in between)
    suggestion = (
        f"install before {written}, in a RUN of its own"
        if entangled
        else (f"move {written} behind line {last.span.end_line}")
    )
    movable = not copy.instruction.heredocs and all(is_independent(stage.steps[at], copy) for at in between)
    edits = moved(dockerfile, copy.instruction, last)
    return Hit(
        location=Location(dockerfile.path, copy.instruction.span),
        evidence={"copy": written, "install": summary(above[0][1]), "line": first.span.line},
        related=tuple(
            Related(Location(dockerfile.path, install.span), summary(install)) for _, install in above[:_NAMED]
        ),
        suggestion=suggestion + (f"; before them copy {' and '.join(files)} alone" if files else ""),
        fix=Fix(edits, safe=False, description="copy after the install") if movable else None,
    )
