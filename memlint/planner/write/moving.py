"""Where an instruction goes that changes modes or owners: into the base, or into the RUN that makes the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memlint.dockerfile.shell import Placed
from memlint.lint.facts import Step
from memlint.model.dockerfile import Dockerfile
from memlint.model.finding import Edit
from memlint.model.plan import PlannedBase
from memlint.planner.write.edit import appended, line_end, removed
from memlint.planner.write.rewriting import Rewriting

_ENDS = ("&", ";", "|")
_ELSEWHERE = frozenset({"cd", "pushd", "exit", "exec", "set", "umask"})


def agreed(
    base: PlannedBase, packages: frozenset[str], rewritings: Mapping[str, Sequence[Rewriting]]
) -> tuple[str, ...]:
    """The commands that all images of a base run on what the base brings; `packages` are those in it and below it,
    `rewritings` are by image."""
    found: list[str] = []
    by_image = {
        ref: [
            each.instruction.value
            for each in rewritings.get(ref, ())
            if each.instruction is not None and _on_base(each, packages)
        ]
        for ref in base.images
    }
    first, *others = by_image.values()
    for command in first:
        if command not in found and all(command in commands for commands in others):
            found.append(command)
    return tuple(found)


def merged(rewriting: Rewriting, before: Step | None, layer_before: bool, dockerfile: Dockerfile) -> list[Edit] | None:
    """The edits that append the command to the RUN directly above it; None where that is not the same.

    `layer_before`: whether that RUN made the layer below.
    """
    instruction = rewriting.instruction
    if instruction is None or before is None or not rewriting.simple or not layer_before:
        return None
    above = before.instruction
    forms = (instruction, above)
    if any(each.keyword != "RUN" or each.json or each.heredocs for each in forms) or instruction.flags:
        return None
    if not rewriting.chained:
        return None
    value = above.value.rstrip()
    if not before.commands or "#" in value or value.endswith(_ENDS) or any(map(_elsewhere, before.commands)):
        return None
    if not rewriting.origins.get(rewriting.layer - 1):
        return None
    escape = dockerfile.directives.get("escape", "\\")
    text = f" {escape}{line_end(dockerfile.text)} && {instruction.value.strip()}"
    return [appended(above, text), removed(instruction)]


def _on_base(rewriting: Rewriting, packages: frozenset[str]) -> bool:
    return (
        rewriting.simple
        and rewriting.portable
        and not rewriting.removable
        and rewriting.needs is not None
        and rewriting.needs <= packages
        and rewriting.instruction is not None
        and not rewriting.instruction.json
        and not rewriting.instruction.flags
        and "$" not in rewriting.instruction.value
    )


def _elsewhere(placed: Placed) -> bool:
    """What follows would run in another directory, under other settings, or not at all."""
    return placed.command.name in _ELSEWHERE
