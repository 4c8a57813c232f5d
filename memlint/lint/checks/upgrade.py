"""An upgrade replaces programs and libraries of the base in a layer of the image."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.lint.edits import without_command
from memlint.lint.image import images_of, is_shared_base, steps_with_triggers, told_once
from memlint.lint.upgrades import upgraded_by
from memlint.model.finding import Fix, Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Command
    from memlint.lint.facts import StageFacts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile


def upgrade(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each upgrade in the image itself; those of stages that are only copied from cost nothing.

    The repository's own base is where an upgrade belongs, unless it is done in each image that is built on it.
    """
    shared = is_shared_base(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages, shared) for stages in images_of(dockerfile, repository))


def _in_image(dockerfile: Dockerfile, stages: Sequence[StageFacts], shared: bool) -> Iterator[Hit]:
    for step in steps_with_triggers(stages):
        if shared and not step.on_build:
            continue
        for number, placed in enumerate(step.commands or () if step.instruction.keyword == "RUN" else ()):
            what = upgraded_by(placed)
            if what is None:
                continue
            edits = None if step.on_build else without_command(step, number)
            base = stages[0].stage
            yield Hit(
                location=Location(dockerfile.path, placed.span),
                evidence={"command": _short(placed.command), "what": what},
                related=(Related(Location(dockerfile.path, base.base_span), "the base whose files are replaced"),),
                fix=Fix(edits, safe=False, description="remove the upgrade") if edits else None,
            )


def _short(command: Command) -> str:
    return " ".join(word.raw for word in command.words[: 2 + len(command.words) - len(command.arguments)])
