"""Which Dockerfile, context and arguments each image of a plan is built with, as the call and its compose files say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

import msgspec

from memlint.dockerfile.compose import Service as ComposeService
from memlint.errors import DockerfileError, UsageError
from memlint.lint.origins import Fleet, Named, dockerfiles_of, meant, services_of
from memlint.lint.places import Origin, stage_of
from memlint.lint.reading import parse, read_bytes
from memlint.model.dockerfile import Dockerfile
from memlint.model.image import Image
from memlint.planner.write.service import (
    NAMESPACE,
    Fetched,
    Service,
    repository_of,
    tag_of,
    told_apart,
    unique_names,
)
from memlint.sources.reference import DAEMON, parse_reference

_REPOSITORY = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:(?:[._]|__|-+|/)[a-z0-9]+)*")
"""Of the distribution specification, and its registry in front."""
_BOM = b"\xef\xbb\xbf"


class Given(msgspec.Struct, frozen=True):
    """What the call says: pairs of an image and a path, and the compose files."""

    dockerfiles: Mapping[str, str]
    contexts: Mapping[str, str]
    compose: Sequence[str] = ()


def find_services(fleet: Fleet, given: Given, directory: str) -> list[Service]:
    """The images whose Dockerfiles are known, for a plan that is written to `directory`.

    UsageError and DockerfileError where the call names what is not there.
    """
    composed = services_of(given.compose, os.environ)
    wanted = dockerfiles_of(fleet, given.dockerfiles, composed)
    contexts = _contexts(fleet, given.contexts)
    images = [image for image in fleet.images if image.ref in wanted]
    names = unique_names([image.name for image in images])
    services = [
        service_of(
            image,
            (name, _repository(image, name)),
            wanted[image.ref],
            contexts.get(image.ref),
            _meant_by(image, fleet, composed),
            directory,
        )
        for image, name in zip(images, names, strict=True)
    ]
    return told_apart(services, {image.ref: tag_of(_whole_name(image)) for image in images})


def _whole_name(image: Named) -> str:
    """The name that the reference has for the image, else the one for people."""
    reference = parse_reference(image.ref)
    named = reference.location if reference.transport == DAEMON else reference.image or ""
    # skopeo puts a mere tag where others put the whole name
    return named if named and (reference.transport == DAEMON or set(named) & set("/:")) else image.name


def _repository(image: Named, name: str) -> str:
    """Where a new build of the image goes; of our own, where the image has no name that a builder takes."""
    found = repository_of(_whole_name(image))
    return found if _REPOSITORY.fullmatch(found) and found != "sha256" else f"{NAMESPACE}/built-{name}"


def builder_name(ref: str) -> str | None:
    """What a build on this host calls an image; None where no builder can get at it."""
    reference = parse_reference(ref)
    return reference.location if reference.transport == DAEMON else None


def sources_of(images: Sequence[Image], directory: str) -> dict[str, str | Fetched | None]:
    """What a build calls each image as it is now, or how the script in `directory` gets it; None where it cannot."""
    names = unique_names([image.name for image in images])
    return {
        image.ref: builder_name(image.ref) or _fetched(image, f"{NAMESPACE}/image-{name}", directory)
        for image, name in zip(images, names, strict=True)
    }


def _fetched(image: Image, name: str, directory: str) -> Fetched | None:
    reference = parse_reference(image.ref)
    # skopeo calls images of a layout by their names alone; what came through a pipe is gone
    unnamed = reference.image is not None and reference.image.startswith("sha256:")
    if unnamed or not (os.path.isfile(reference.location) or os.path.isdir(reference.location)):
        return None
    place = _relative(reference.location, directory)
    text = ":".join(part for part in (reference.transport, place, reference.image) if part)
    return Fetched(f"{name}:latest", text, image.platform)


def service_of(
    image: Named,
    names: tuple[str, str],
    wanted: tuple[str, str | None],
    context: str | None,
    composed: Sequence[ComposeService],
    directory: str,
) -> Service:
    """An image built from the Dockerfile and the stage that is `wanted`, by a plan in `directory`.

    `names` are its short one and its repository.
    """
    (name, repository), (path, target) = names, wanted
    running = [each for each in composed if each.dockerfile is None or _same(each.dockerfile, path)]
    own = [each for each in running if each.dockerfile is not None]
    build_args = dict(own[0].build_args) if own else {}
    content = _read(path)
    dockerfile = _parsed(content, path, build_args)
    stage = stage_of(dockerfile, target)
    if stage is None:
        raise UsageError(f"{path}: has no stage {target!r}", "a service's target is a stage of its Dockerfile")
    place = context or (own[0].context if own else os.path.dirname(path) or ".")
    return Service(
        name=name,
        ref=image.ref,
        repository=repository,
        origin=Origin(dockerfile, stage),
        context=_relative(place, directory),
        dockerfile=_relative(os.path.join(directory, "services", name, "Dockerfile"), place),
        target=target,
        build_args=build_args,
        mark="\ufeff" if content.startswith(_BOM) else "",
        ignore=_ignore(path, place, directory),
        contexts={name: _seen(each, directory) for name, each in own[0].contexts.items()} if own else {},
        platform=own[0].platform if own else None,
        compose=tuple(each.name for each in running),
        wants=own[0].wants if own else (),
    )


def _meant_by(image: Named, fleet: Fleet, composed: Sequence[ComposeService]) -> list[ComposeService]:
    return [service for service in composed if any(each is image for each in meant(fleet, service.names))]


def _contexts(fleet: Fleet, given: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, directory in given.items():
        images = meant(fleet, (name,))
        if not images:
            known = ", ".join(dict.fromkeys(image.name for image in fleet.images))
            raise UsageError(f"{name!r} has a context but is none of the images", f"the images are {known}")
        if not os.path.isdir(directory):
            raise UsageError(f"{directory}: is no directory, so no build context", "name it as --context IMAGE=DIR")
        found.update((image.ref, directory) for image in images)
    return found


def _read(path: str) -> bytes:
    try:
        return read_bytes(path)
    except DockerfileError as error:
        raise error.inside(path) from error


def _parsed(content: bytes, path: str, build_args: dict[str, str]) -> Dockerfile:
    try:
        return parse(content, path, build_args)
    except DockerfileError as error:
        raise error.inside(path if error.line is None else f"{path}:{error.line}") from error


def _ignore(path: str, context: str, directory: str) -> str | None:
    """The ignore file for the Dockerfile alone, which counts before the context's. A plan is no part of a context."""
    inside = _relative(directory, context)
    candidates = [f"{path}.dockerignore", os.path.join(context, ".dockerignore")]
    if inside.startswith("..") or inside == ".":
        del candidates[1]
    found = next((place for place in candidates if os.path.isfile(place)), None)
    text = _read(found).decode("utf-8", "surrogateescape") if found else None
    if len(candidates) == 1:
        return text
    lines = text or ""
    return f"{lines}{'' if not lines or lines.endswith(chr(10)) else chr(10)}{inside}\n"


def _seen(place: str, directory: str) -> str:
    return place if "://" in place else _relative(place, directory)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _relative(path: str, start: str) -> str:
    return os.path.relpath(os.path.realpath(path), os.path.realpath(start)).replace(os.sep, "/")
