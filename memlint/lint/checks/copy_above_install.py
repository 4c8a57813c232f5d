"""The build context, or what is built from it, is copied below an install that could be shared."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.lint.edits import inserted_below, lines_of, removed
from memlint.lint.image import copy_of, final_stages
from memlint.lint.installing import context_file, library_installs, summary
from memlint.model.finding import Fix, Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Step
    from memlint.lint.image import Copy
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Managers
    from memlint.model.dockerfile import Dockerfile

_SOURCE_DIRECTORIES = frozenset(("src", "app", "lib", "server", "backend", "api", "code", "cmd", "internal", "pkg"))
_RESULT = r"(?:\./)?(?:target|build|dist|out|bin)/|.*\.(?:jar|war|ear)\Z"
_PREPARES = frozenset(
    (
        *("addgroup", "adduser", "apk", "apt", "apt-get", "dnf", "echo", "groupadd", "microdnf", "mkdir", "rm", "set"),
        *("update-ca-certificates", "useradd", "yum", "zypper"),
    )
)
"""Commands that need nothing of the build context when their words name no file of it."""


def copy_above_install(dockerfile: Dockerfile, repository: Repository, *, managers: Managers) -> Iterator[Hit]:
    """The first copy that changes with the source, with the installs of `managers` above it that do not need it.

    Those of the copy's own stage: one that others are built on is an image in itself, and needs its source.
    """
    facts = repository.facts(dockerfile)
    stages = final_stages(dockerfile, repository)
    if not stages or _chooses_context(dockerfile, repository):
        return
    for stage in stages:
        for index, step in enumerate(stage.steps):
            copy = copy_of(step, facts)
            if copy is None or not _changes(copy):
                continue
            above = [
                (later, install)
                for later in stage.steps[index + 1 :]
                if later.instruction.keyword == "RUN"
                for install in library_installs(later, managers, dockerfile, repository)
            ]
            if above:
                yield _hit(dockerfile, stage.steps, copy, above)
                return  # those that follow only add to it


def _chooses_context(dockerfile: Dockerfile, repository: Repository) -> bool:
    """Whether .dockerignore leaves out everything and lets single files in: then `.` is no broad context."""
    text = context_file(".dockerignore", dockerfile, repository) or ""
    return any(line.strip() in ("*", "**", "./*", "/*") for line in text.split("\n"))


def _changes(copy: Copy) -> bool:
    if copy.stage is not None:
        return False
    if copy.broad:
        return True
    return any(source.strip("./") in _SOURCE_DIRECTORIES or re.match(_RESULT, source) for source in copy.sources)


def _hit(dockerfile: Dockerfile, steps: Sequence[Step], copy: Copy, above: Sequence[tuple[Step, Install]]) -> Hit:
    span = copy.instruction.span
    written = f"{copy.instruction.keyword} {copy.instruction.value}".split("\n")[0]
    first = above[0][0].instruction
    related = tuple(Related(Location(dockerfile.path, install.span), summary(install)) for _, install in above)
    files = [file for _, install in above for file in install.files]
    listed = f"; before them copy {files[0]} alone" if files else ""
    return Hit(
        location=Location(dockerfile.path, span),
        evidence={"copy": written, "install": summary(above[0][1]), "line": first.span.line},
        related=related,
        suggestion=f"move {written} behind line {above[-1][0].instruction.span.end_line}{listed}",
        fix=_fix(dockerfile, steps, copy, [step for step, _ in above]),
    )


def _fix(dockerfile: Dockerfile, steps: Sequence[Step], copy: Copy, installs: Sequence[Step]) -> Fix | None:
    """Moves the copy below the installs, where nothing between needs it: only system packages are installed there."""
    places = [step.instruction for step in steps]
    last = installs[-1].instruction
    if copy.instruction.heredocs:
        return None
    start = next(index for index, place in enumerate(places) if place is copy.instruction)
    end = next(index for index, place in enumerate(places) if place is last)
    if not all(_independent(step) for step in steps[start + 1 : end + 1]):
        return None
    edits = (removed(copy.instruction), inserted_below(dockerfile, last, lines_of(dockerfile, copy.instruction)))
    return Fix(edits, safe=False, description="copy after the install")


def _independent(step: Step) -> bool:
    if step.instruction.keyword in ("ENV", "ARG", "LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "STOPSIGNAL"):
        return True
    if step.instruction.keyword != "RUN" or step.commands is None:
        return False
    return all(
        placed.command.name in _PREPARES and (word.text is not None and "./" not in word.text)
        for placed in step.commands
        for word in placed.command.words
    )
