"""What an image's Dockerfile starts from, as far as its FROM, the image itself and the builder's images tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from memlint.dockerfile.reference import parse_base
from memlint.lint.places import Origin, chain_of
from memlint.model.digest import DiffID
from memlint.model.dockerfile import Instruction
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.image import BaseImage, Image, Layer
from memlint.model.plan import Plan, PlannedBase
from memlint.planner.alike import Alike
from memlint.planner.former import Standing, former_base
from memlint.planner.grounds import Ground
from memlint.planner.guessing import REPOSITORIES, SCRATCH
from memlint.planner.write.rigid import ground_layers
from memlint.planner.write.service import NAMESPACE, Service, named_base
from memlint.planner.write.staged import COPY_STAGE

_SETS = {
    "CMD": ("Cmd",),
    "ENTRYPOINT": ("Entrypoint", "Cmd"),
    "EXPOSE": ("Port",),
    "HEALTHCHECK": ("Healthcheck",),
    "SHELL": ("Shell",),
    "STOPSIGNAL": ("StopSignal",),
    "USER": ("User",),
    "VOLUME": ("Volume",),
    "WORKDIR": ("WorkingDir",),
}
_ALWAYS = ("Label", "OnBuild")
"""Builds are given labels on their command line; triggers are not inherited."""


_ROOTS = REPOSITORIES | frozenset(
    "amazoncorretto bash buildpack-deps busybox caddy eclipse-temurin elixir erlang gcc golang httpd maven nginx node"
    " openjdk perl php pypy python redis rockylinux ruby rust tomcat".split()
)
"""Distributions and official images that set no user."""


class Stock(Protocol):
    """The images that a builder has."""

    def named(self, name: str) -> BaseImage | None:
        """What a build would call so now; None where that is not known."""

    def digest(self, name: str, diff_ids: Sequence[DiffID]) -> str | None:
        """The digest by which the repository of this name has the image of these layers; None where not known."""


class Rests(msgspec.Struct, frozen=True):
    """What an image rests on: a ground, perhaps by way of a base of the former plan (`on`), or of one that is none of
    its (`other`, the name); `why` says for what reason it has to stay there."""

    ground: Ground
    on: Standing | None = None
    other: str | None = None
    why: str | None = None


def rests_of(image: Image, service: Service, stock: Stock, alike: Alike, former: Plan | None) -> Rests:
    """What an image rests on whose FROM is known. Bases of the former plan are seen through."""
    source, layers, origin = str(service.root.base), ground_layers(image, service), service.origin
    path = former_base(former, source) if former is not None else []
    if not path:
        ground = ground_of(image, origin, source, layers, stock, alike)
        foreign = source.startswith(f"{NAMESPACE}/")
        return Rests(ground, None, named_base(source) if foreign else None, _stays(ground, origin))
    on = Standing(path[-1].name, _installs(origin), _places(origin))
    depth = layers - sum(base.layers for base in path)
    told = all(base.layers or not (base.packages or base.files) for base in path)
    if not told or depth < (path[0].source != SCRATCH):
        why = f"how many layers {source} has is not what the former plan says: build it with that plan's build.sh"
        return Rests(ground_of(image, origin, source, layers, stock, alike), on, None, why)
    ground = ground_of(image, origin, _original(path[0], image, depth), depth, stock, alike)
    known = ground if ground.user is not None else msgspec.structs.replace(ground, user=path[0].user)
    return Rests(known, on, None, _stays(known, origin))


def _original(base: PlannedBase, image: Image, depth: int) -> str:
    """What the lowest base is built from: its digest is left away where the image was built on another build."""
    chain = image.layers[depth - 1].chain_id if depth else None
    return base.source if chain == base.source_chain else base.source.partition("@")[0]


def _stays(ground: Ground, origin: Origin) -> str | None:
    before = before_user(origin) if ground.user is None else []
    if not before:
        return None
    line = f"{origin.dockerfile.path}:{before[0].span.line}"
    return f"whom {ground.source} runs commands as is not known, and {line} is run so: put a USER above it"


def _installs(origin: Origin) -> frozenset[str]:
    """The packages that a Dockerfile installs in any case."""
    installs = (install for step in origin.steps for install in step.installs if not install.conditional)
    return frozenset(package.name for install in installs for package in install.packages)


def _places(origin: Origin) -> tuple[str, ...]:
    """The directories that it fills by way of a stage on its base."""
    copies = (each for each in own_instructions(origin) if each.keyword == "COPY" and each.words)
    through = (each for each in copies if (flag := each.flag("from")) and flag.value.startswith(COPY_STAGE))
    return tuple(each.words[-1].text for each in through)


def ground_of(image: Image, origin: Origin, source: str, layers: int, stock: Stock, alike: Alike) -> Ground:
    """The ground of an image whose lowest `layers` are those of `source`: pinned, where a digest of it is known."""
    below = image.layers[:layers]
    found = stock.named(source) if source != SCRATCH else None
    if found is not None and _system(found.image) != _system(image):
        found = None  # the name stands for several platforms, and the builder has another one
    same = found is not None and _diff_ids(found.image.layers) == _diff_ids(below)
    now = None if found is None else same or alike(found.image.layers, below)
    digest = _digest(image, origin, source, found if same else None)
    if digest is None and now is False and "@" not in source:
        digest = stock.digest(source, _diff_ids(below))
    settings, hidden = (found.image.settings, frozenset[str]()) if found and same else (image.settings, sets(origin))
    shown = next((value for name, value in settings if name == "User"), "")
    return Ground(
        source=source if digest is None else f"{source}@{digest}",
        layers=layers,
        settings=tuple((name, value) for name, value in settings if name != "OnBuild"),
        hidden=hidden,
        user=user_before(image, origin) if "User" in hidden else shown,
        now=now if digest is None else True,
    )


def sets(origin: Origin) -> frozenset[str]:
    """The settings that a Dockerfile's own instructions decide, by name or by kind."""
    found = set(_ALWAYS)
    for instruction in own_instructions(origin):
        found.update(_SETS.get(instruction.keyword, ()))
        if instruction.keyword == "ENV" and instruction.words:
            words = [word.text for word in instruction.words]
            names = [word.partition("=")[0] for word in words] if "=" in words[0] else words[:1]
            found.update(f"Env {name}" for name in names)
    return frozenset(found)


def user_before(image: Image, origin: Origin) -> str | None:
    """The user below a Dockerfile that sets another one: what the history has before the Dockerfile's own."""
    own = sum(instruction.keyword == "USER" for instruction in own_instructions(origin))
    if image.users is None or len(image.users) < own:
        return "" if runs_as_root(origin) else None
    return image.users[-own - 1] if len(image.users) > own else ""


def runs_as_root(origin: Origin) -> bool:
    """Whether a Dockerfile needs root before it says who runs its commands: it installs packages of the system."""
    before = {id(instruction) for instruction in before_user(origin)}
    installs = (install for step in origin.steps if id(step.instruction) in before for install in step.installs)
    return any(package.ecosystem in DISTRIBUTION for install in installs for package in install.packages)


def user_below(source: str, origins: Sequence[Origin]) -> str | None:
    """The user of an original base of which only the name is known: "" for root, None where it may be another one."""
    base = parse_base(source)
    plain = base is not None and base.repository in _ROOTS
    return "" if plain or any(map(runs_as_root, origins)) else None


def before_user(origin: Origin) -> list[Instruction]:
    """The commands that run as whom the base names: those before the first USER."""
    found = []
    for instruction in own_instructions(origin):
        if instruction.keyword == "USER":
            break
        if instruction.keyword == "RUN":
            found.append(instruction)
    return found


def own_instructions(origin: Origin) -> list[Instruction]:
    """Those of the stages that the image is made of, in their order."""
    return [each for stage in chain_of(origin.dockerfile, origin.stage) for each in stage.instructions]


def _digest(image: Image, origin: Origin, source: str, found: BaseImage | None) -> str | None:
    """A digest of the base, unless its reference has one: as the image's manifest tells, or the builder."""
    base = parse_base(source)
    if base is None or base.digest is not None:
        return None
    # of an image that stands on another stage a builder may note what that one became
    noted = parse_base(image.base.name) if image.base is not None and origin.stage.parent is None else None
    if image.base is not None and noted is not None and noted.repository == base.repository:
        return image.base.digest
    for each in found.digests if found is not None else ():
        other = parse_base(each)
        if other is not None and other.repository == base.repository:
            return other.digest
    return None


def _diff_ids(layers: Sequence[Layer]) -> tuple[DiffID, ...]:
    return tuple(layer.diff_id for layer in layers)


def _system(image: Image) -> list[str]:
    return image.platform.split("/")[:2]
