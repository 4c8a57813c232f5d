"""A plan as files that build: Dockerfiles of the bases, the services' rewritten, and what builds them all.

Nothing here reads or writes a file: the answer is a mapping of relative paths to texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from memlint.errors import DockerfileError
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import LeftOut, Plan, PlannedBase, PlannedFiles
from memlint.model.units import plural
from memlint.planner.write.bake import bake_file
from memlint.planner.write.base import written_base
from memlint.planner.write.compose import compose_override
from memlint.planner.write.dockerfile import Change, Layered, Rewritten, files_of, refusal, rewrite
from memlint.planner.write.follow import in_order
from memlint.planner.write.moving import agreed
from memlint.planner.write.readme import readme
from memlint.planner.write.rewriting import Rewriting
from memlint.planner.write.rigid import ground_view
from memlint.planner.write.script import build_script
from memlint.planner.write.service import Fetched, Service, reference_of
from memlint.planner.write.staged import lacking
from memlint.sharing.view import Visible, merge_views

SCRIPT = "build.sh"
"""The one file that is to be executable."""


class Written(msgspec.Struct, frozen=True):
    """The files by their relative paths, the changes of each service by its reference, what is not written beside what
    the plan says of that, and the plan as it was written."""

    files: dict[str, str]
    changes: dict[str, tuple[Change, ...]]
    left_out: tuple[LeftOut, ...]
    plan: Plan


def write(
    plan: Plan,
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    services: Sequence[Service],
    rewritings: Sequence[Rewriting] = (),
    sources: Mapping[str, str | Fetched | None] | None = None,
    follows: Mapping[str, str] | None = None,
) -> Written:
    """All files of a plan.

    `services` are the images whose Dockerfiles are known; `sources` says by image's reference what a build calls the
    image as it is now, or how it gets it (None: it cannot); `follows` says of an image which other one it stands on.
    """
    bases = ordered(plan.bases)
    by_ref = {image.ref: image for image in images}
    names = {image.ref: image.name for image in plan.images}
    fetched = {ref: each for ref, each in (sources or {}).items() if isinstance(each, Fetched)}
    called = {ref: each.name if isinstance(each, Fetched) else each for ref, each in (sources or {}).items()}
    left_out = [*_not_taken(bases, called)]
    own: dict[str, list[Rewriting]] = {}
    for rewriting in rewritings:
        own.setdefault(rewriting.image, []).append(rewriting)
    held = _held(bases, own)
    files: dict[str, str] = {}
    bases = list(_written(bases, held, names, called, files))
    leads = follows or {}
    installs = {image.ref: image.installs for image in plan.images}

    def layered(service: Service, base: PlannedBase | None) -> Layered:
        below = held[base.name] if base is not None else _Held()
        found = _layered(by_ref[service.ref], service, below, own.get(service.ref, ()), indexes)
        # where its user is not known, a base ends as root
        user = "" if base is None else base.user or ""
        return found if base is None else msgspec.structs.replace(found, installs=installs[service.ref], user=user)

    made = _made(plan, services, leads, {base.name: base for base in bases}, layered)
    files |= made.files
    left_out += made.left_out
    built = list(made.services.values())
    taken = [fetched[ref] for ref in dict.fromkeys(_taken_of(bases)) if ref in fetched]
    led = {
        ref: made.services[leader] for ref, leader in leads.items() if ref in made.services and leader in made.services
    }
    stands = {image.ref: image.base for image in plan.images}
    files[SCRIPT] = build_script(bases, built, made.tags, taken)
    files["docker-bake.hcl"] = bake_file(bases, built, stands, led, made.tags, taken)
    override = compose_override(built)
    if override is not None:
        files["compose.override.yaml"] = override
    new = tuple(each for each in left_out if each not in plan.left_out)
    plan = msgspec.structs.replace(plan, bases=tuple(bases), left_out=(*plan.left_out, *new))
    files["README.md"] = readme(plan, bases, built, made.changes)
    return Written(files, made.changes, new, plan)


class _Made(msgspec.Struct, frozen=True):
    """Services by reference with their files and changes; `tags` are those that others on them call them by."""

    files: dict[str, str] = {}
    services: dict[str, Service] = {}
    tags: dict[str, str] = {}
    changes: dict[str, tuple[Change, ...]] = {}
    left_out: list[LeftOut] = []


def _made(
    plan: Plan,
    services: Sequence[Service],
    leads: Mapping[str, str],
    bases: Mapping[str, PlannedBase],
    layered: Callable[[Service, PlannedBase | None], Layered],
) -> _Made:
    """The services that are to be built, each on its base, or on the build of the service that it follows."""
    stands = {image.ref: image.base for image in plan.images if image.rebuilt}
    made = _Made()
    for service in in_order([each for each in services if each.ref in stands], leads):
        leader = leads.get(service.ref)
        base = bases.get(stands[service.ref] or "") if leader is None else None
        on = made.tags.get(leader) if leader is not None else base.reference if base is not None else None
        result = _rewritten(service, on, layered(service, base))
        if isinstance(result, LeftOut):
            made.left_out.append(result)
            continue
        made.services[service.ref] = service
        if service.ref in leads.values():
            built = f"{service.repository}{service.variant} {result.text}"
            made.tags[service.ref] = reference_of(f"service-{service.name}", built)
        made.changes[service.ref] = result.changes
        made.files.update(files_of(service, result))
    return made


class _Held(msgspec.Struct, frozen=True):
    """What a base and those below it have: packages by name, files of no package, commands; `own` are the base's."""

    packages: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    commands: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def _held(bases: Sequence[PlannedBase], rewritings: Mapping[str, Sequence[Rewriting]]) -> dict[str, _Held]:
    """By base; `bases` follow their parents. A command belongs to the lowest base all of whose images run it."""
    found: dict[str, _Held] = {}
    for base in bases:
        below = found.get(base.parent or "", _Held())
        packages = below.packages.union(package.name for package in base.packages)
        paths = below.paths.union(path.lstrip("/") for group in base.files for path in group.paths)
        had = (*below.commands, *base.commands)
        new = tuple(each for each in agreed(base, packages, rewritings) if each not in had)
        own = (*base.commands, *new)
        found[base.name] = _Held(packages, paths, below.commands + own, own)
    return found


def _written(
    bases: Sequence[PlannedBase],
    held: Mapping[str, _Held],
    names: Mapping[str, str],
    called: dict[str, str | None],
    files: dict[str, str],
) -> Iterator[PlannedBase]:
    """The bases with what they are called, each after the one that it stands on; their Dockerfiles go into `files`."""
    references: dict[str, str] = {}
    for base in bases:
        own = msgspec.structs.replace(base, commands=held[base.name].own)
        done, text = written_base(own, references.get(base.parent or ""), names, called)
        references[base.name] = done.reference
        files[f"bases/{base.name}/Dockerfile"] = text
        yield done


def _taken_of(bases: Sequence[PlannedBase]) -> Iterator[str]:
    """The images that bases take files of."""
    yield from (group.image for base in bases for group in base.files)


def _not_taken(bases: Sequence[PlannedBase], called: Mapping[str, str | None]) -> Iterator[LeftOut]:
    """The files of images that no build can name."""
    for base in bases:
        for group in base.files:
            if called.get(group.image) is None:
                yield LeftOut(_of_files(group), f"{group.image} is in no store of a builder")


def _of_files(group: PlannedFiles) -> str:
    return f"{plural(len(group.paths), 'file')} of /{group.directory.strip('/')}"


def ordered(bases: Sequence[PlannedBase]) -> list[PlannedBase]:
    """Each base after the one that it stands on."""
    found: list[PlannedBase] = []
    rest = list(bases)
    while rest:
        names = {base.name for base in rest}
        ready = [base for base in rest if base.parent not in names]
        if not ready:
            raise ValueError("bases stand on each other in a circle")
        found += ready
        rest = [base for base in rest if base.parent in names]
    return found


def _layered(
    image: Image,
    service: Service,
    below: _Held,
    rewritings: Sequence[Rewriting],
    indexes: Mapping[DiffID, LayerIndex],
) -> Layered:
    in_base = _in_base(image, indexes, below.paths)
    lacks = lacking(ground_view(image, service, indexes)) if in_base else None
    return Layered(image, tuple(rewritings), in_base, below.packages, below.commands, lacks)


def _rewritten(service: Service, on: str | None, layered: Layered) -> Rewritten | LeftOut:
    problem = refusal(layered.image, service)
    if problem is not None:
        return LeftOut(service.ref, problem)
    try:
        return rewrite(service, on, layered)
    except DockerfileError as error:
        return LeftOut(service.ref, error.message)


def _in_base(image: Image, indexes: Mapping[DiffID, LayerIndex], paths: frozenset[str]) -> dict[int, dict[str, int]]:
    """Layer → those of its visible files that have one of these paths, with their mappable bytes."""
    found: dict[int, dict[str, int]] = {}
    if not paths or not image.layers:
        return found
    view = merge_views([image], indexes)[image.layers[-1].chain_id]
    for path in paths:
        node = view.nodes.get(path)
        if isinstance(node, Visible):
            found.setdefault(node.layer, {})[path] = node.file.mappable_bytes
    return found
