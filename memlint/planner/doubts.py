"""Packages that a base's install may not bring again as they are: where they came from is not the ground's own sources,
or cannot be told. What the layers hold, what their history says and the Dockerfile are the witnesses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from memlint.dockerfile.installs import Install
from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import DockerfileError
from memlint.lint.facts import Step, facts_of
from memlint.lint.places import Origin, makers_of
from memlint.model.digest import ChainID, DiffID
from memlint.model.image import Layer
from memlint.model.layer import BUILT, URL, Installed, LayerIndex, Package
from memlint.planner.grounds import Member
from memlint.planner.repositories import FILES, INDEX_OPTION, MENTIONED, SETTINGS
from memlint.sharing.history import instruction

SITE_PACKAGES = re.compile(r"(?:usr/(?:local/)?)?lib/python3[^/]*/(?:site|dist)-packages/[^/]+/[^/]+")
"""Where `pip install` puts packages: what lies elsewhere was put there as files."""
_LANGUAGES = ("pypi", "npm")
_STATUS_D = "var/lib/dpkg/status.d/"

_UNTOLD = "which command installed them is not known"
_OUTSIDE = {
    URL: "they were installed from files, URLs or repositories, not from an index",
    BUILT: "they were built where they were installed",
}
_LOCAL_VERSION = "such versions are in no public index"
_UNNAMED = "the instruction that installed them installs files of packages, and does not name these"
_NO_MANAGER = "what they lie in has no package manager"


class Doubt(msgspec.Struct, frozen=True):
    """Why no base is to install a package.

    - `settled`: it stands whatever other images say; else one that has the package without a doubt dispels it.
    - `as_files`: a COPY brings it, so that a base can have its files that way.
    """

    why: str
    settled: bool = True
    as_files: bool = False


Doubts = Mapping[Package, Doubt]


class _Made(msgspec.Struct, frozen=True):
    """The instruction that made a layer, as far as it is known: its keyword, all words of it, and what it installs."""

    keyword: str
    text: str
    installs: tuple[Install, ...]


def doubts_of(
    members: Iterable[Member],
    indexes: Mapping[DiffID, LayerIndex],
    origins: Mapping[str, Origin],
    listed: Mapping[str, str],
) -> dict[str, Doubts]:
    """Of each image, by reference, the packages above its ground that are in doubt.

    `origins` are the Dockerfiles that images are known to be from; `listed` says of an image that a list of packages
    that its Dockerfile names asks other indexes, and which list that is.
    """
    reader = _Reader(indexes)
    return {
        member.image.ref: reader.doubts(member, origins.get(member.image.ref), listed.get(member.image.ref))
        for member in members
    }


class _Reader:
    """Reads images; what several of them have in common is read once."""

    def __init__(self, indexes: Mapping[DiffID, LayerIndex]) -> None:
        self._indexes = indexes
        self._brought: dict[ChainID, tuple[Installed, ...]] = {}
        self._settings: dict[DiffID, dict[str, str]] = {}
        self._histories: dict[str, _Made] = {}

    def doubts(self, member: Member, origin: Origin | None, listed: str | None) -> Doubts:
        layers = member.image.layers
        found: dict[Package, Doubt] = {}
        makers = self._makers(member, origin)
        sources: dict[str, str] = {}
        for number, brought in enumerate(self._all_brought(layers)):
            if number < member.stands.layers:
                continue
            made = makers[number]
            settings = self._own_settings(layers[number])
            for kind, words in MENTIONED.items():
                word = words.search(made.text)
                named = settings.get(kind) or (word[0].strip() if word is not None and kind != "pypi" else None)
                if named is not None:
                    sources.setdefault(kind, named)
            for each in brought:
                doubt = _doubt(each, made, sources, listed)
                found.pop(each.package, None)
                if doubt is not None:
                    found[each.package] = doubt
        return found

    def _all_brought(self, layers: Sequence[Layer]) -> Iterator[tuple[Installed, ...]]:
        """By layer, the packages that its databases name and those below did not."""
        before: dict[str, frozenset[Package]] = {}
        for layer in layers:
            index = self._indexes[layer.diff_id]
            databases: dict[str, list[Installed]] = {}
            for each in index.installed:
                databases.setdefault(each.database, []).append(each)
            if layer.chain_id not in self._brought:
                new = (
                    each
                    for path, its in databases.items()
                    for each in its
                    if each.package.type in _LANGUAGES or each.package not in before.get(path, ())
                )
                self._brought[layer.chain_id] = tuple(new)
            before.update((path, frozenset(each.package for each in its)) for path, its in databases.items())
            yield self._brought[layer.chain_id]

    def _own_settings(self, layer: Layer) -> Mapping[str, str]:
        """By type of packages, a file of the layer that says where these come from."""
        if layer.diff_id not in self._settings:
            index = self._indexes[layer.diff_id]
            found: dict[str, str] = {}
            for path in (*index.others, *index.symlinks, *index.whiteouts):
                if path.startswith(("etc/", "usr/local/", "opt/", "root/", "home/")):
                    for kind, pattern in SETTINGS.items():
                        if kind not in found and pattern.fullmatch(path):
                            found[kind] = f"/{path}"
            self._settings[layer.diff_id] = found
        return self._settings[layer.diff_id]

    def _makers(self, member: Member, origin: Origin | None) -> list[_Made]:
        layers = member.image.layers
        if origin is None:
            variables = " ".join(each.partition("=")[0] for each in member.image.process.env)
            return [self._by_history(layer.created_by, variables) for layer in layers]
        makers = makers_of(layers, origin)
        return [
            self._by_history(layer.created_by, "")
            if (step := origin.step_of(makers.get(number))) is None
            else _by_step(step, layer.created_by)
            for number, layer in enumerate(layers)
        ]

    def _by_history(self, created_by: str, variables: str) -> _Made:
        key = f"{created_by}\n{variables}"
        if key not in self._histories:
            text = instruction(created_by)
            keyword = text.partition(" ")[0]
            installs: tuple[Install, ...] = ()
            if keyword == "RUN":
                try:
                    (step,) = facts_of(parse_dockerfile(f"FROM scratch\n{text}\n")).target.steps
                    installs = step.installs
                except (DockerfileError, ValueError):
                    pass
            self._histories[key] = _Made(keyword, key, installs)
        return self._histories[key]


def _by_step(step: Step, created_by: str) -> _Made:
    one = step.instruction
    flags = (f"--{flag.name}={flag.value}" for flag in one.flags)
    bodies = (heredoc.content for heredoc in one.heredocs)
    return _Made(one.keyword, "\n".join((created_by, one.value, *flags, *bodies, *step.environment)), step.installs)


def _doubt(each: Installed, made: _Made, sources: Mapping[str, str], listed: str | None) -> Doubt | None:
    kind = each.package.type
    if made.keyword in ("COPY", "ADD"):
        return Doubt("", as_files=True)
    if kind == "pypi" and SITE_PACKAGES.fullmatch(each.database):
        return _of_language(each, made, sources, listed)
    if kind in _LANGUAGES:
        return None  # in no base as a package
    if each.database.startswith(_STATUS_D):
        return Doubt(_NO_MANAGER)
    if kind in sources:
        return Doubt(
            f"the images name sources of packages of their own ({sources[kind]}): a base would find others, or none",
            settled=False,
        )
    if kind in FILES and FILES[kind].search(made.text) and each.asked is not False:
        named = {package.name.partition(":")[0] for install in made.installs for package in install.packages}
        return None if each.package.name in named else Doubt(_UNNAMED, settled=False)
    return None


def _of_language(each: Installed, made: _Made, sources: Mapping[str, str], listed: str | None) -> Doubt | None:
    if each.outside:
        return Doubt(_OUTSIDE[each.outside])
    if "+" in each.package.version:
        return Doubt(_LOCAL_VERSION)
    installs = [install for install in made.installs if install.ecosystem == "pypi"]
    if made.keyword != "RUN" or not installs:
        return Doubt(_UNTOLD)
    word = MENTIONED["pypi"].search(made.text)
    # what follows the option's name may be a secret
    options = (found[0] for install in installs for option in install.options if (found := INDEX_OPTION.match(option)))
    named = word[0] if word is not None else next(options, None) or sources.get("pypi") or listed
    return Doubt(f"what installed them may ask other indexes ({named})") if named is not None else None
