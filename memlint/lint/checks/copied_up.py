"""A RUN changes mode, owner, name or the like of programs that a lower layer holds, and so copies them up."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.lint.edits import removed, with_flag
from memlint.lint.image import copy_of, images_of, is_shared_base, steps_with_triggers, told_once
from memlint.lint.lower import UNKNOWN, Earlier, Lower
from memlint.lint.paths import is_program
from memlint.lint.rewrites import ONLY_PROGRAMS, rewrite_of
from memlint.lint.runtimes import runtime_of
from memlint.model.finding import Fix, Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.lower import Origin
    from memlint.lint.repository import Repository
    from memlint.lint.rewrites import Rewrite
    from memlint.lint.thresholds import Bringer
    from memlint.model.dockerfile import Dockerfile

_VALUES = {"chmod": r"0?[0-7]{3,4}\Z", "chown": r"\w[\w-]*:\w[\w-]*\Z"}
"""What means the same at a COPY: there a user alone gives the file its group, too, which chown leaves as it is."""
_FLAGS = {"chmod": "--chmod", "chown": "--chown"}


def copied_up(dockerfile: Dockerfile, repository: Repository, *, brought_by: Bringer) -> Iterator[Hit]:
    """`brought_by` "base": what the base or its packages brought. "image": what this Dockerfile put there before."""
    facts = repository.facts(dockerfile)
    shared = brought_by == "base" and is_shared_base(dockerfile, repository)
    images = images_of(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages, facts, brought_by, shared) for stages in images)


def _in_image(
    dockerfile: Dockerfile, stages: Sequence[StageFacts], facts: Facts, brought_by: str, shared: bool
) -> Iterator[Hit]:
    """In a base that is `shared` its own layers are where such work belongs, those of images on it are not."""
    lower = Lower(stages, facts)
    steps = steps_with_triggers(stages)
    for step, before in zip(steps, [None, *steps], strict=False):
        if step.instruction.keyword == "RUN" and (step.on_build or not shared):
            for placed, rewrite, target, origin in _rewritten(step, lower, stages):
                if (origin.instruction is None) == (brought_by == "base"):
                    fix = _fix(step, before, rewrite, facts)
                    yield _hit(dockerfile, stages, placed, rewrite, target, origin, fix)
        lower.add(step)


def _rewritten(step: Step, lower: Lower, stages: Sequence[StageFacts]) -> Iterator[tuple[Placed, Rewrite, str, Origin]]:
    """The first file of a lower layer that each command rewrites; the same RUN rewrites it only once."""
    runtime = runtime_of(stages[0].base)
    seen: set[str] = set()

    def looked_up(program: str) -> str:
        return f"{runtime.roots[0]}/bin/{program}" if runtime and program in runtime.programs else f"/usr/bin/{program}"

    earlier = Earlier(step)
    for placed, directory in lower.placed(step):
        rewrite = None if placed.command.conditional else rewrite_of(placed.command, directory, looked_up)
        if rewrite is not None:
            origins = ((target, _origin(earlier, rewrite, target, lower)) for target in rewrite.targets)
            for target, origin in origins:
                if origin is not None and target not in seen:
                    seen.add(target)
                    yield placed, rewrite, target, origin
                    break
        earlier.add(placed)


def _origin(earlier: Earlier, rewrite: Rewrite, target: str, lower: Lower) -> Origin | None:
    if "*" in target and not rewrite.recursive:
        return lower.matching(target)
    if rewrite.recursive and (origin := lower.programs(target.removesuffix("/*") or "/")) is not None:
        return origin
    origin = lower.program(target, certain=rewrite.verb in ONLY_PROGRAMS)
    if origin is not None and origin.instruction is None and earlier.may_have_made(target):
        return None
    return origin


def _hit(
    dockerfile: Dockerfile,
    stages: Sequence[StageFacts],
    placed: Placed,
    rewrite: Rewrite,
    target: str,
    origin: Origin,
    fix: Fix | None,
) -> Hit:
    base = origin.instruction is None
    span = stages[0].stage.base_span if origin.instruction is None else origin.instruction.span
    whole = target.endswith("/*") or (rewrite.recursive and not is_program(target))
    what = f"the programs in {target.removesuffix('/*')}" if whole else target.removeprefix(f"{UNKNOWN}/")
    return Hit(
        location=Location(dockerfile.path, placed.span),
        evidence={"command": _command(rewrite), "target": what, "origin": origin.name},
        related=(Related(Location(dockerfile.path, span), "what it rewrites comes from here"),),
        suggestion=_suggestion(rewrite, base),
        fix=fix,
    )


def _command(rewrite: Rewrite) -> str:
    if rewrite.by_find:
        return f"find -exec {rewrite.verb}"
    return f"{rewrite.verb} -R" if rewrite.recursive and rewrite.verb in ("chmod", "chown", "chgrp") else rewrite.verb


def _suggestion(rewrite: Rewrite, base: bool) -> str:
    if rewrite.verb == "setcap":
        return "give the capability to the container, or let it listen on a port above 1023"
    if rewrite.verb in _FLAGS and not base:
        return f"write {_FLAGS[rewrite.verb]} at the COPY, or do it in the RUN that makes the file"
    if rewrite.recursive:
        return "name the files and directories that need it instead of all below"
    return "do it in the same RUN that makes the file" if not base else "leave the file of the base as it is"


def _fix(step: Step, before: Step | None, rewrite: Rewrite, facts: Facts) -> Fix | None:
    """`RUN chmod 755 FILE` directly after the COPY of that one file becomes `COPY --chmod=755`."""
    copy = copy_of(before, facts) if before is not None else None
    value = rewrite.mode if rewrite.verb == "chmod" else rewrite.owner
    if copy is None or before is None or before.on_build != step.on_build:
        return None
    if value is None or rewrite.recursive or len(step.commands or ()) != 1:
        return None
    if len(copy.sources) != 1 or copy.sources[0].endswith("/") or rewrite.targets != (copy.target,) or copy.into:
        return None
    name = _FLAGS[rewrite.verb]
    if copy.instruction.flag(name.lstrip("-")) or not re.match(_VALUES[rewrite.verb], value):
        return None
    if value not in step.instruction.value.split():
        return None  # a variable, for which a build may have another value
    if copy.instruction.flag("link") and not re.match(r"[\d:]+\Z", value):
        return None  # a layer on its own has no /etc/passwd to find the user in
    edits = (with_flag(copy.instruction, f"{name}={value}"), removed(step.instruction))
    return Fix(edits, safe=False, description=f"let the COPY do it ({name}={value})")
