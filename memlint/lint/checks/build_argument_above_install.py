"""A value that differs in every build is declared below an install that could be shared."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from memlint import TYPE_CHECKING
from memlint.dockerfile.words import assignments
from memlint.lint.edits import inserted_below, lines_of, removed
from memlint.lint.image import final_stages
from memlint.lint.installing import library_installs, summary
from memlint.model.finding import Fix, Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Step
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Managers
    from memlint.model.dockerfile import Dockerfile, Span

_PINNED = r"""["']?(?:[0-9a-f]{7,64}|v?\d+\.\d+[\w.+-]*)["']?\Z"""
"""A default that names one version: such a value is raised by hand, not by every build."""


def build_argument_above_install(
    dockerfile: Dockerfile, repository: Repository, *, names: tuple[str, ...], managers: Managers
) -> Iterator[Hit]:
    """Each ARG of `names` (patterns) with an install of `managers` above it that does not use the value."""
    steps = [step for stage in final_stages(dockerfile, repository) for step in stage.steps]
    reported: set[str] = set()
    for index, step in enumerate(steps):
        for name, span in _varying(step, names):
            above = [] if name in reported else _unaware(steps[index + 1 :], name, managers, dockerfile, repository)
            if above:
                reported.add(name)
                yield _hit(dockerfile, steps[index:], name, span, above)


def _varying(step: Step, names: Sequence[str]) -> Iterator[tuple[str, Span]]:
    if step.instruction.keyword != "ARG":
        return
    for name, default, word in assignments(step.instruction):
        if any(fnmatchcase(name.upper(), pattern) for pattern in names) and not re.match(_PINNED, default or ""):
            yield name, word.span


def _unaware(
    steps: Sequence[Step], name: str, managers: Sequence[str], dockerfile: Dockerfile, repository: Repository
) -> list[tuple[Step, Install]]:
    """The installs above, unless a RUN up to them needs the value, or the name is declared anew."""
    found = []
    for step in steps:
        if step.instruction.keyword == "RUN":
            if _uses(step, name):
                break
            found += [(step, install) for install in library_installs(step, managers, dockerfile, repository)]
    return found


def _uses(step: Step, name: str) -> bool:
    text = step.instruction.value + "".join(heredoc.content for heredoc in step.instruction.heredocs)
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _hit(
    dockerfile: Dockerfile, steps: Sequence[Step], name: str, span: Span, above: Sequence[tuple[Step, Install]]
) -> Hit:
    related = [Related(Location(dockerfile.path, install.span), summary(install)) for _, install in above]
    last = above[-1][0].instruction
    return Hit(
        location=Location(dockerfile.path, span),
        evidence={"keyword": "ARG", "name": name, "install": summary(above[0][1])},
        related=tuple(related),
        suggestion=f"declare it behind line {last.span.end_line}, directly before what needs it",
        fix=_fix(dockerfile, steps, name, [step for step, _ in above]),
    )


def _fix(dockerfile: Dockerfile, steps: Sequence[Step], name: str, installs: Sequence[Step]) -> Fix | None:
    """Moves the ARG below the installs, where nothing between speaks of it."""
    declared, last = steps[0].instruction, installs[-1].instruction
    end = next(index for index, step in enumerate(steps) if step.instruction is last)
    if len(declared.words) != 1 or any(_uses(step, name) for step in steps[1 : end + 1]):
        return None
    if any(
        step.instruction.keyword not in ("RUN", "ENV", "ARG", "LABEL", "WORKDIR", "COPY") for step in steps[1 : end + 1]
    ):
        return None
    edits = (removed(declared), inserted_below(dockerfile, last, lines_of(dockerfile, declared)))
    return Fix(edits, safe=False, description=f"declare {name} behind the installs")
