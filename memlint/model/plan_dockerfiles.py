"""A plan made of Dockerfiles alone, where no image exists yet: it counts packages, for their bytes are not known."""

from __future__ import annotations

import msgspec

from memlint.model.plan import LeftOut

SCHEMA = "memlint.plan-dockerfiles/1"


class NamedPackage(msgspec.Struct, frozen=True, order=True):
    """A package as a Dockerfile asks for it: `version` is "" where it takes any. `type` is as in package URLs."""

    type: str
    name: str
    version: str = ""


class NamedBase(msgspec.Struct, frozen=True):
    """A base for the images of these Dockerfiles, on `parent`, another planned base, or on what `source` names.

    `saved_packages` are the installs that become one: its own packages × (the images that stand on it - 1).
    """

    name: str
    parent: str | None
    source: str
    platform: str
    packages: tuple[NamedPackage, ...]
    dockerfiles: tuple[str, ...]
    saved_packages: int


class NamedService(msgspec.Struct, frozen=True):
    """A Dockerfile, the base that its image is to stand on, what it goes on installing, and what it gets unasked."""

    dockerfile: str
    base: str | None
    packages: tuple[NamedPackage, ...]
    extra: tuple[NamedPackage, ...]


class DockerfilesPlan(msgspec.Struct, frozen=True):
    """The whole. `before` and `after` count packages over all images, each as often as it is installed anew."""

    schema: str
    basis: str
    chosen: str
    before: int
    after: int
    distinct: int
    bases: tuple[NamedBase, ...]
    services: tuple[NamedService, ...]
    left_out: tuple[LeftOut, ...]
