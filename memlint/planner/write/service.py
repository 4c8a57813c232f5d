"""An image of the plan together with what it is built from."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from memlint.lint.places import Origin, chain_of
from memlint.model.dockerfile import Instruction, Stage

TAG = "memlint-plan"
"""The tag of what is built to a plan, unless the build says otherwise."""
NAMESPACE = "memlint-plan"
"""The repository that the planned bases are built into."""
_DIGITS = 12


class Service(msgspec.Struct, frozen=True, eq=False):
    """An image, its Dockerfile, and how it is built.

    - `name`: short, of letters, digits, - and _, and no other service's: its directory and its target.
    - `repository`: of the reference, without transport and tag; what is built is tagged so.
    - `variant`: what follows the tag, where several services have one repository.
    - `context`: the build context's directory as seen from the plan's directory, with slashes.
    - `dockerfile`: where the plan's Dockerfile lies, as seen from the context.
    - `mark`: the byte-order mark, if the file begins with one.
    - `ignore`: the text of a `.dockerignore` for this Dockerfile alone.
    - `contexts`: more build contexts by name: directories as seen from the plan's, or what the builder knows by `NAME://`.
    - `platform`: what a compose file says that it is to run on.
    - `compose`: the names of the services of the compose file that run it.
    - `wants`: what a compose file gives its build and the plan's build does not.
    """

    name: str
    ref: str
    repository: str
    origin: Origin
    context: str = "."
    dockerfile: str = ""
    target: str | None = None
    build_args: dict[str, str] = {}
    mark: str = ""
    ignore: str | None = None
    contexts: dict[str, str] = {}
    platform: str | None = None
    compose: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    variant: str = ""

    @property
    def root(self) -> Stage:
        """The stage that stands on the image from outside."""
        return chain_of(self.origin.dockerfile, self.origin.stage)[0]

    @property
    def chain(self) -> tuple[Instruction, ...]:
        """The instructions whose layers the image has, the lowest first."""
        stages = chain_of(self.origin.dockerfile, self.origin.stage)
        return tuple(instruction for stage in stages for instruction in stage.instructions)


class Fetched(msgspec.Struct, frozen=True):
    """An image that no builder has: what the bases call it, and the reference and platform that skopeo reads it by."""

    name: str
    reference: str
    platform: str


def reference_of(name: str, definition: str) -> str:
    """What a FROM calls what is built to a plan: the tag stands for the definition, so that two plans on one host
    never mean different things by one reference."""
    lines = [line for line in definition.split("\n") if not line.startswith("#")]
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{NAMESPACE}/{name}:{digest[:_DIGITS]}"


def named_base(reference: str) -> str:
    """The name in such a reference."""
    return repository_of(reference).removeprefix(f"{NAMESPACE}/")


def repository_of(name: str) -> str:
    """An image's name without its tag and digest."""
    plain = name.partition("@")[0]
    path, _, last = plain.rpartition("/")
    last = last.partition(":")[0]
    return f"{path}/{last}" if path else last


def tag_of(name: str) -> str:
    """The tag in an image's name; "latest" without one."""
    return name.partition("@")[0].rpartition("/")[2].partition(":")[2] or "latest"


def told_apart(services: Sequence[Service], tags: Mapping[str, str]) -> list[Service]:
    """The services, where some have one repository with what tells them apart: their `tags` by reference, or names."""
    places = Counter(service.repository for service in services)
    tagged = Counter((service.repository, tags[service.ref]) for service in services)
    found = []
    for service in services:
        tag = tags[service.ref]
        own = f"-{tag if tagged[service.repository, tag] == 1 else service.name}"
        found.append(msgspec.structs.replace(service, variant=own if places[service.repository] > 1 else ""))
    return found


def unique_names(names: list[str]) -> list[str]:
    """A short name for each, fit for a directory and a target."""
    found: dict[str, None] = {}
    next_numbers: dict[str, int] = {}
    for name in names:
        plain = re.sub(r"[^a-z0-9_-]+", "-", repository_of(name).rpartition("/")[2].lower()).strip("-") or "image"
        candidate, number = plain, next_numbers.get(plain, 2)
        while candidate in found:
            candidate, number = f"{plain}-{number}", number + 1
        next_numbers[plain] = number
        found[candidate] = None
    return list(found)
