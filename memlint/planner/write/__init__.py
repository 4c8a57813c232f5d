"""A plan as files that build: Dockerfiles of the bases, the services' rewritten, and what builds them all.

Nothing here reads or writes a file: the answer is a mapping of relative paths to texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from memlint.errors import DockerfileError
from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import LeftOut, Plan, PlannedBase, PlannedFiles
from memlint.model.units import plural
from memlint.planner.write.bake import bake_file
from memlint.planner.write.base import base_dockerfile
from memlint.planner.write.compose import compose_override
from memlint.planner.write.dockerfile import Change, Layered, Rewritten, difference, mismatch, rewrite
from memlint.planner.write.moving import agreed
from memlint.planner.write.readme import readme
from memlint.planner.write.rewriting import Rewriting
from memlint.planner.write.script import build_script
from memlint.planner.write.service import Service, base_reference, user_below
from memlint.sharing.view import Visible, merge_views

SCRIPT = "build.sh"
"""The one file that is to be executable."""


class Written(msgspec.Struct, frozen=True):
    """The files by their relative paths, the changes of each service by its reference, and what is not written."""

    files: dict[str, str]
    changes: dict[str, tuple[Change, ...]]
    left_out: tuple[LeftOut, ...]


def write(
    plan: Plan,
    images: Sequence[Image],
    indexes: Mapping[DiffID, LayerIndex],
    services: Sequence[Service],
    rewritings: Sequence[Rewriting] = (),
    sources: Mapping[str, str | None] | None = None,
) -> Written:
    """All files of a plan.

    `services` are the images whose Dockerfiles are known; `sources` says by image's reference what a build calls the
    image as it is now (None: nothing, it is in no store that a builder reads).
    """
    bases = ordered(plan.bases)
    by_ref = {image.ref: image for image in images}
    stands = {image.ref: image.base for image in plan.images}
    names = {image.ref: image.name for image in plan.images}
    callable_names = dict(sources or {})
    left_out = [
        LeftOut(_of_files(group), f"{group.image} is in no store of a builder")
        for base in bases
        for group in base.files
        if callable_names.get(group.image) is None
    ]
    packages = {base.name: _packages(bases, base.name) for base in bases}
    commands = {base.name: agreed(base, packages[base.name], rewritings) for base in bases}
    files = {
        f"bases/{base.name}/Dockerfile": base_dockerfile(
            base, names, callable_names, commands[base.name], _user(base, by_ref, services)
        )
        for base in bases
    }
    changes: dict[str, tuple[Change, ...]] = {}
    done: list[Service] = []
    for service in services:
        image = by_ref[service.ref]
        base = stands.get(service.ref)
        own = tuple(each for each in rewritings if each.image == service.ref)
        held = _in_base(image, indexes, _paths(bases, base))
        layered = Layered(image, own, held, packages.get(base or "", frozenset()), commands.get(base or "", ()))
        result = _rewritten(service, base, layered)
        if isinstance(result, LeftOut):
            left_out.append(result)
            continue
        done.append(service)
        changes[service.ref] = result.changes
        files.update(_service_files(service, result))
    script = build_script(bases, done)
    override = compose_override(done)
    plan = msgspec.structs.replace(plan, left_out=(*plan.left_out, *left_out))
    files |= {SCRIPT: script, "docker-bake.hcl": bake_file(bases, done, stands)}
    if override is not None:
        files["compose.override.yaml"] = override
    files["README.md"] = readme(plan, bases, done, changes)
    return Written(files, changes, tuple(left_out))


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


def _rewritten(service: Service, base: str | None, layered: Layered) -> Rewritten | LeftOut:
    problem = mismatch(layered.image, service)
    if problem is not None:
        return LeftOut(service.ref, problem)
    try:
        return rewrite(service, None if base is None else base_reference(base), layered)
    except DockerfileError as error:
        return LeftOut(service.ref, error.message)


def _service_files(service: Service, result: Rewritten) -> dict[str, str]:
    before, path = service.origin.dockerfile.text, service.origin.dockerfile.path.lstrip("/")
    place = f"services/{service.name}/Dockerfile"
    files = {
        place: service.mark + result.text,
        f"{place}.diff": difference(service.mark + before, service.mark + result.text, f"a/{path}", f"b/{path}"),
    }
    if service.ignore is not None:
        files[f"{place}.dockerignore"] = service.ignore
    return files


def _user(base: PlannedBase, images: Mapping[str, Image], services: Sequence[Service]) -> str:
    """The user of the original base, as far as the images on it tell."""
    users = {user_below(images[each.ref], each) for each in services if each.ref in base.images} - {None}
    return users.pop() or "" if len(users) == 1 else ""


def _below(bases: Sequence[PlannedBase], name: str | None) -> Iterator[PlannedBase]:
    """A base and those that it stands on."""
    by_name = {base.name: base for base in bases}
    while name is not None:
        yield by_name[name]
        name = by_name[name].parent


def _packages(bases: Sequence[PlannedBase], name: str) -> frozenset[str]:
    return frozenset(package.name for base in _below(bases, name) for package in base.packages)


def _paths(bases: Sequence[PlannedBase], name: str | None) -> frozenset[str]:
    """The files that no package owns of a base and all that it stands on."""
    groups = (group for base in _below(bases, name) for group in base.files)
    return frozenset(path.lstrip("/") for group in groups for path in group.paths)


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
