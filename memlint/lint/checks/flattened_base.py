"""The whole file system of a stage or image, or all its libraries, is copied into one layer."""

from __future__ import annotations

import re
from posixpath import basename

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.reference import parse_base
from memlint.lint.image import base_name, copy_of, final_stages, is_shared_base, named_stage
from memlint.lint.paths import is_below, join
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.finding import Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memlint.dockerfile.shell import Command
    from memlint.lint.facts import Facts, Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Span

_NO_SYSTEM = (None, "scratch", "windows")
_WHOLE = {"/": "all files", "/usr": "all of /usr", "/usr/lib": "all of /usr/lib", "/lib": "all of /lib"}
"""What holds the libraries of a distribution."""
_RECURSIVE = r"-[a-zA-Z]*[aRr]|--archive\Z|--recursive\Z"


class _Taken(msgspec.Struct, frozen=True):
    """What is copied of a stage or an image, to the same path: the command, and where it stands."""

    command: str
    origin: str
    path: str
    span: Span


class _Mount(msgspec.Struct, frozen=True):
    """A stage or an image, or a directory of it, that a RUN sees at a path."""

    origin: str
    source: str
    target: str


def flattened_base(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """The first copy of a system in X, where X stands on an image of a known distribution."""
    facts = repository.facts(dockerfile)
    if is_shared_base(dockerfile, repository):
        return
    seen: set[str] = set()
    for step in (step for stage in final_stages(dockerfile, repository) for step in stage.steps):
        for taken in (*_copied(step, facts), *_run(step)):
            found = None if taken.origin in seen else _origin(taken.origin, facts)
            seen.add(taken.origin)
            if found is not None:
                yield _hit(dockerfile, taken, *found)


def _hit(dockerfile: Dockerfile, taken: _Taken, base: str, span: Span | None) -> Hit:
    flattened = Related(Location(dockerfile.path, span), f"the base that is flattened: {base}")
    return Hit(
        location=Location(dockerfile.path, taken.span),
        evidence={"copy": taken.command, "what": _WHOLE[taken.path], "base": base},
        related=(flattened,) if span else (),
        suggestion=f"stand on it (FROM {taken.origin}), and copy into it what else the image needs",
    )


def _copied(step: Step, facts: Facts) -> Iterator[_Taken]:
    """`COPY --from=X / /`, `COPY --from=X /usr/ /usr/`."""
    copy = copy_of(step, facts)
    if copy is None or copy.stage is None:
        return
    for source in copy.sources:
        path = "/" if source.strip("./*") == "" else join("/", source)
        if path in _WHOLE and path == copy.target:
            command = f"{step.instruction.keyword} --from={copy.stage} {path} {path}"
            yield _Taken(command, copy.stage, path, step.instruction.span)


def _run(step: Step) -> Iterator[_Taken]:
    """`RUN --mount=from=X,target=/mnt cp -a /mnt/. /`."""
    mounts = [mount for flag in step.instruction.flags if (mount := _mount(flag.value, step))]
    for placed in step.commands or () if mounts else ():
        if placed.command.conditional or placed.command.name not in ("cp", "rsync"):
            continue
        for source, target in _pairs(placed.command):
            for mount in (mount for mount in mounts if is_below(source, mount.target)):
                path = join(mount.source, source.removeprefix(mount.target).lstrip("/") or ".")
                if path in _WHOLE and path == target:
                    command = " ".join(word.raw for word in placed.command.words)
                    yield _Taken(command, mount.origin, path, placed.span)


def _mount(flag: str, step: Step) -> _Mount | None:
    """What a bind mount of a stage or an image says; None for other mounts."""
    fields: Mapping[str, str] = {
        key.strip().lower(): step.expanded(value) or value
        for key, _, value in (field.partition("=") for field in flag.split(","))
    }
    target = next((fields[name] for name in ("target", "dst", "destination") if name in fields), None)
    if not fields.get("from") or not target or fields.get("type", "bind") != "bind":
        return None
    source = fields.get("source", fields.get("src", "/"))
    place = join(step.directory, target)
    return None if place is None else _Mount(fields["from"], join("/", source) or "/", place)


def _pairs(command: Command) -> Iterator[tuple[str, str]]:
    """What cp and rsync copy with all that is in it: each directory, and where it comes to lie."""
    texts = [word.text for word in command.arguments]
    operands = [text for text in texts if text is not None and not text.startswith("-")]
    if None in texts or len(operands) < 2 or not any(re.match(_RECURSIVE, text or "") for text in texts):
        return
    target = join(command.directory, operands[-1])
    for operand in operands[:-1]:
        source = join(command.directory, operand.removesuffix("*"))
        if source is None or target is None:
            continue
        contents = operand.endswith(("/.", "/*")) or (command.name == "rsync" and operand.endswith("/"))
        place = target if contents else join(target, basename(source))
        if place is not None:
            yield source, place


def _origin(stage: str, facts: Facts) -> tuple[str, Span | None] | None:
    """The base of what is copied, where it is a distribution: by its name, or because packages are installed on it."""
    found = named_stage(stage, facts)
    if found is None:
        base = parse_base(stage)
        return (stage, None) if base is not None and base.family not in _NO_SYSTEM else None
    lineage = found.lineage
    packages = any(
        install.ecosystem in DISTRIBUTION for each in lineage for step in each.steps for install in step.installs
    )
    if (found.base is None or found.base.family in _NO_SYSTEM) and not packages:
        return None
    return base_name(lineage), lineage[0].stage.base_span
