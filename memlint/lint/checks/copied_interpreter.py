"""A virtual environment is made with a copy of the interpreter instead of a symlink."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.lint.image import images_of, reaching_into, told_once
from memlint.lint.runtimes import runtime_of
from memlint.model.dockerfile import Span
from memlint.model.finding import Edit, Fix, Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Facts, StageFacts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile

_COPIES = frozenset(("--copies", "--always-copy"))


def copied_interpreter(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """`python -m venv --copies` and the like: in the image, or in a stage from which it comes beside an interpreter."""
    facts = repository.facts(dockerfile)
    return told_once(_in_image(dockerfile, stages, facts) for stages in images_of(dockerfile, repository))


def _in_image(dockerfile: Dockerfile, stages: tuple[StageFacts, ...], facts: Facts) -> Iterator[Hit]:
    runtime = runtime_of(stages[0].base)
    brings_python = runtime is not None and "python3" in runtime.programs
    for stage in reaching_into(stages, facts) if brings_python else stages:
        for step in stage.steps:
            for placed in step.commands or () if step.instruction.keyword == "RUN" else ():
                span = _option(placed)
                if span is not None:
                    yield Hit(
                        location=Location(dockerfile.path, placed.span),
                        evidence={"command": _command(placed)},
                        fix=None if step.instruction.json else _fix(span),
                    )


def _fix(span: Span) -> Fix | None:
    """Leaves the option out, with the blank before it."""
    before = Span(span.line, span.column - 1, span.end_line, span.end_column)
    return Fix((Edit(before, ""),), safe=False, description="make it with symlinks") if span.column > 1 else None


def _option(placed: Placed) -> Span | None:
    command = placed.command
    texts = [word.text for word in command.arguments]
    makes = command.name == "virtualenv" or (
        re.fullmatch(r"python[\d.]*", command.name or "") is not None
        and texts[:2] in (["-m", "venv"], ["-m", "virtualenv"])
    )
    if not makes:
        return None
    return next((span for word, span in placed.arguments if word.text in _COPIES), None)


def _command(placed: Placed) -> str:
    texts = [word.text or "" for word in placed.command.arguments]
    tool = placed.command.name if placed.command.name == "virtualenv" else f"python -m {texts[1]}"
    return f"{tool} {next(text for text in texts if text in _COPIES)}"
