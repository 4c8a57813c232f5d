"""Which Dockerfile each of the compared images comes from: as the call says it, or its compose files."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from memlint.dockerfile.compose import Service, read_compose, read_env
from memlint.errors import DockerfileError, UsageError
from memlint.lint.gathering import Gathered
from memlint.lint.places import Origin, stage_of
from memlint.lint.reading import read_bytes


class Named(Protocol):
    """An image: its reference, and its name for people."""

    @property
    def ref(self) -> str: ...

    @property
    def name(self) -> str: ...


class Fleet(Protocol):
    """A report or a plan."""

    @property
    def images(self) -> Sequence[Named]: ...


def services_of(files: Iterable[str], environment: Mapping[str, str]) -> list[Service]:
    """The services that compose files build; variables: the environment, else a `.env` beside the file."""
    found: list[Service] = []
    for path in files:
        try:
            text = read_bytes(path).decode("utf-8")
        except (DockerfileError, UnicodeDecodeError) as error:
            reason = error.message if isinstance(error, DockerfileError) else "is not UTF-8"
            raise UsageError(f"{path}: {reason}", "name a compose file with --compose") from error
        found += read_compose(text, path, {**_env_beside(path), **environment})
    return found


def dockerfiles_of(
    fleet: Fleet, given: Mapping[str, str], services: Iterable[Service]
) -> dict[str, tuple[str, str | None]]:
    """Image → (Dockerfile, target): what the call says comes first. UsageError when it speaks of none of the images."""
    found: dict[str, tuple[str, str | None]] = {}
    for service in services:
        if service.dockerfile is not None:
            for image in meant(fleet, service.names):
                found.setdefault(image.ref, (service.dockerfile, service.target))
    for name, path in given.items():
        images = meant(fleet, (name,))
        if not images:
            known = ", ".join(dict.fromkeys(image.name for image in fleet.images))
            raise UsageError(f"{name!r} has a Dockerfile but is none of the images", f"the images are {known}")
        found.update((image.ref, (path, None)) for image in images)
    return found


def origins_of(wanted: Mapping[str, tuple[str, str | None]], gathered: Gathered) -> dict[str, Origin]:
    """Image → the stage that it was built from. UsageError when a Dockerfile has no such stage."""
    origins: dict[str, Origin] = {}
    for ref, (path, target) in wanted.items():
        name = os.path.relpath(os.path.abspath(path), gathered.repository.root).replace(os.sep, "/")
        dockerfile = gathered.repository.dockerfile(name) or gathered.repository.dockerfile(os.path.abspath(path))
        stage = stage_of(dockerfile, target) if dockerfile else None
        if dockerfile is None or stage is None:
            raise UsageError(f"{path}: has no stage {target!r}", "a service's target is a stage of its Dockerfile")
        origins[ref] = Origin(dockerfile, stage)
    return origins


def _env_beside(path: str) -> dict[str, str]:
    """What a `.env` says. It need not be there, and one that is no file is none for compose neither."""
    place = os.path.join(os.path.dirname(path), ".env")
    if not os.path.isfile(place):
        return {}
    try:
        return read_env(read_bytes(place).decode("utf-8", "replace"))
    except DockerfileError as error:
        raise UsageError(f"{place}: {error.message}", error.hint) from error


def meant(fleet: Fleet, names: Sequence[str]) -> list[Named]:
    """The images that any of the names may be one of."""
    short = [name.removeprefix("docker.io/").removeprefix("library/") for name in names]
    wanted = {f"{name}{tag}" for name in (*names, *short) for tag in ("", ":latest")}
    return [image for image in fleet.images if any(_is_called(image, name) for name in wanted)]


def _is_called(image: Named, name: str) -> bool:
    """By its reference or the end of it, or by its name, with or without the tag."""
    if name in (image.name, image.name.partition(":")[0]):
        return True
    references = [image.ref]
    if image.ref.count(":") == 2 and image.ref.startswith("docker-daemon:"):
        references.append(image.ref.rpartition(":")[0])
    return any(f":{each}".endswith((f":{name}", f"/{name}")) for each in references)
