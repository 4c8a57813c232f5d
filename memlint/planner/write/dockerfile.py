"""A service's Dockerfile as the plan has it: another FROM, without the instructions that change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from itertools import pairwise

import msgspec

from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import DockerfileError
from memlint.lint.places import makers_of
from memlint.model.dockerfile import Instruction
from memlint.model.finding import Edit
from memlint.model.image import Image
from memlint.model.plan import PlannedPackage
from memlint.planner.write.edit import edited, inserted_above, inserted_below, line_end, removed, replaced
from memlint.planner.write.installs import install_line
from memlint.planner.write.moving import merged
from memlint.planner.write.rewriting import Rewriting, one_line
from memlint.planner.write.service import Service
from memlint.planner.write.staged import COPY_STAGE, Refused, stage_with, staged_copy
from memlint.sources.inherited import plain_user


class Change(msgspec.Struct, frozen=True):
    """What was done with an instruction, or why it stays: `line` is that of the original, `saved_bytes` of page cache.

    `kind`: "base", "added", "removed", "moved", "merged", "staged", "kept".
    """

    kind: str
    line: int
    text: str
    why: str
    bytes: int = 0


class Rewritten(msgspec.Struct, frozen=True):
    """A Dockerfile after the plan, and all that was changed in it or had to stay."""

    text: str
    changes: tuple[Change, ...]


class Layered(msgspec.Struct, frozen=True, eq=False):
    """What of a service's layers the plan is about.

    - `in_base`: by layer the files that the base has, with their mapped bytes.
    - `packages`: those of the base and all below it, by name; `agreed`: the commands that the base runs itself.
    - `lacks`: why no COPY of it can be staged, if none can.
    - `installs`: what it has to install by name, and `user` who the base's last instruction makes it.
    """

    image: Image
    rewritings: tuple[Rewriting, ...] = ()
    in_base: dict[int, dict[str, int]] = {}
    packages: frozenset[str] = frozenset()
    agreed: tuple[str, ...] = ()
    lacks: Refused | None = None
    installs: tuple[PlannedPackage, ...] = ()
    user: str = ""


def refusal(image: Image, service: Service) -> str | None:
    """Why a Dockerfile can be neither planned with nor written; None where nothing speaks against it."""
    if service.root.base is None:
        where = f"{service.origin.dockerfile.path}:{service.root.source.span.line}"
        return f"the FROM in {where} takes a build argument that is not known: give it a default, or --compose"
    return mismatch(image, service)


def mismatch(image: Image, service: Service) -> str | None:
    """Why the image was not built from this Dockerfile, as its history says; None when it may well have been."""
    made = {id(each) for each in makers_of(image.layers, service.origin).values()}
    runs = [each for each in service.chain if each.keyword == "RUN"]
    lost = [each for each in runs if id(each) not in made]
    copies = [each for each in service.chain if each.keyword in ("COPY", "ADD")]
    if not lost and copies and not runs and not any(id(each) in made for each in copies):
        lost = copies
    if not lost:
        return None
    where = f"{service.origin.dockerfile.path}:{lost[0].span.line}"
    shown = f"the history of {image.name} does not show {where} {one_line(lost[0])}"
    return f"{shown}: build the image again, or name the Dockerfile that it is from"


def rewrite(service: Service, base: str | None, layered: Layered) -> Rewritten:
    """The service's Dockerfile on `base` (None: on its own), untouched lines byte by byte as they were."""
    dockerfile = service.origin.dockerfile
    edits: list[Edit] = []
    changes: list[Change] = []
    if base is not None:
        for source in _sources(service, base):
            edits.append(replaced(source.words[0].span, base))
            changes.append(Change("base", source.span.line, one_line(source), f"stands on {base} now"))
        if layered.installs:
            more, added = _installing(service, layered)
            edits.append(more)
            changes.append(added)
    for rewriting in layered.rewritings:
        edit, change = _rewriting(service, rewriting, layered)
        edits += edit
        changes.append(change)
    if base is not None:
        for edit, change in _staged(service, base, layered):
            edits += edit
            changes.append(change)
    text = edited(dockerfile.text, edits)
    _verify(text, service)
    return Rewritten(text, tuple(sorted(changes, key=lambda change: change.line)))


def _sources(service: Service, base: str) -> Iterator[Instruction]:
    """The FROM instructions that are to name the base: the lowest, and stages on a base that an earlier plan put below
    it, which hold what that one did not have."""
    root = service.root
    for stage in service.origin.dockerfile.stages:
        beside = stage.parent is None and stage.base == root.base and (stage.name or "").startswith(COPY_STAGE)
        if stage.base != base and (stage.index == root.index or beside):
            yield stage.source


def _installing(service: Service, layered: Layered) -> tuple[Edit, Change]:
    """What the service's own instructions would no longer bring, by name below all of them."""
    line = install_line(layered.installs)
    lines = ["USER 0", line, f"USER {layered.user}"] if plain_user(layered.user) else [line]
    ending = line_end(service.origin.dockerfile.text)
    edit = inserted_below(service.root.source, "".join(f"{each}{ending}" for each in lines))
    return edit, Change("added", service.root.source.span.line, line, "on the base nothing else would bring these")


def files_of(service: Service, result: Rewritten) -> dict[str, str]:
    """The files of a service by relative path: its Dockerfile, what changed in it, and what its build ignores."""
    place, path = f"services/{service.name}/Dockerfile", service.origin.dockerfile.path.lstrip("/")
    before, after = service.mark + service.origin.dockerfile.text, service.mark + result.text
    files = {place: after, f"{place}.diff": difference(before, after, f"a/{path}", f"b/{path}")}
    if service.ignore is not None:
        files[f"{place}.dockerignore"] = service.ignore
    return files


def difference(before: str, after: str, old: str, new: str) -> str:
    """A unified diff that patch takes."""
    lines = unified_diff(_lines(before), _lines(after), old, new)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _rewriting(service: Service, rewriting: Rewriting, layered: Layered) -> tuple[list[Edit], Change]:
    instruction, price = rewriting.instruction, rewriting.copied_bytes
    if instruction is None:
        return [], Change("kept", 0, rewriting.text, rewriting.why, price)
    line, text = instruction.span.line, rewriting.text
    if rewriting.removable:
        return [removed(instruction)], Change("removed", line, text, rewriting.why, price)
    if instruction.value in layered.agreed:
        return [removed(instruction)], Change("moved", line, text, "all images of the base do it: the base does", price)
    if not rewriting.packages & layered.packages:
        edits = _merged(service, rewriting, layered)
        if edits is not None:
            return edits, Change("merged", line, text, "the RUN above makes the files", price)
    return [], Change("kept", line, text, rewriting.why, price)


def _merged(service: Service, rewriting: Rewriting, layered: Layered) -> list[Edit] | None:
    """The edits that put an instruction into the one above it, in the same stage."""
    dockerfile = service.origin.dockerfile
    makers = makers_of(layered.image.layers, service.origin)
    for stage in dockerfile.stages:
        for above, instruction in pairwise(stage.instructions):
            if instruction is rewriting.instruction:
                step = service.origin.step_of(above)
                return merged(rewriting, step, makers.get(rewriting.layer - 1) is above, dockerfile)
    return None


def _staged(service: Service, base: str, layered: Layered) -> Iterator[tuple[list[Edit], Change]]:
    """The COPY instructions that go by way of a stage, and what writes files that the base has and cannot."""
    dockerfile = service.origin.dockerfile
    makers = makers_of(layered.image.layers, service.origin)
    number, names = 0, {stage.name for stage in dockerfile.stages}
    for layer, files in sorted(layered.in_base.items()):
        step = service.origin.step_of(makers.get(layer))
        if step is None:
            continue
        price = sum(files.values())
        line, text = step.instruction.span.line, one_line(step.instruction)
        while f"{COPY_STAGE}{number + 1}" in names:
            number += 1
        staged = layered.lacks or staged_copy(step, dockerfile, base, number + 1, frozenset(files))
        if isinstance(staged, Refused):
            yield [], Change("kept", line, text, staged.why, price)
            continue
        number += 1
        source = stage_with(step.instruction, dockerfile).source
        above = (staged.stage + "\n").replace("\n", line_end(dockerfile.text))
        edits = [inserted_above(source, above), replaced(step.instruction.span, staged.instruction)]
        yield edits, Change("staged", line, text, "the base has files of it already: the rest is copied", price)


def _verify(text: str, service: Service) -> None:
    """What was written is a Dockerfile, and of the original's instructions none is lost that was not meant to be."""
    try:
        parse_dockerfile(text, service.origin.dockerfile.path, service.origin.dockerfile.build_args)
    except DockerfileError as error:
        raise DockerfileError(
            f"{service.origin.dockerfile.path}: cannot be rewritten safely ({error.message})",
            "change its FROM by hand, as the plan says",
        ) from error


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines
