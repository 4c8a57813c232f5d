"""A Dockerfile's chain of layers as text: how far two of them are the same instructions on the same base."""

from __future__ import annotations

import re

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.expand import expand
from memlint.dockerfile.reference import parse_base
from memlint.lint.image import named_stage
from memlint.lint.natives import mapped_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Instruction, Span

SYSTEM = frozenset({"deb", "apk", "rpm"})
"""Ecosystems of the distribution's packages."""
_MANAGERS = frozenset("apt-get apt apk dnf dnf5 tdnf yum microdnf zypper".split())
_HOUSEKEEPING = frozenset({"rm", "true", ":", "set", "export"})
_ONLY_METADATA = frozenset("LABEL EXPOSE CMD ENTRYPOINT HEALTHCHECK STOPSIGNAL VOLUME MAINTAINER ONBUILD".split())
"""Instructions that make no layer, and that no later RUN depends on."""
_MOVABLE = frozenset(["COPY", "ADD", "ENV", "ARG", "WORKDIR"])
_READ_BY_MANAGERS = tuple(
    f"/etc/{name}" for name in ("apt", "apk", "yum", "dnf", "pki", "zypp", "ssl", "passwd", "group")
)
"""Where sources of packages, keys and users are configured."""
_FOR_MANAGERS = ("DEBIAN_FRONTEND", "APT_", "HTTP", "http", "LANG", "LC_", "TZ")
"""Variables that change what a package manager does."""
_CHANGING = frozenset("upgrade dist-upgrade full-upgrade distro-sync".split())


class Link(msgspec.Struct, frozen=True, eq=False):
    """An instruction of a chain.

    - `text`: what a builder compares; equal texts on equal parents may make one layer.
    - `own`: the text does not say it all: files of the build context, or of a stage of this file, go in.
    """

    step: Step
    text: str
    own: bool

    @property
    def instruction(self) -> Instruction:
        return self.step.instruction


class Group(msgspec.Struct, frozen=True, eq=False):
    """The packages of the distribution that RUNs in a row install, and nothing else: order and words do not matter."""

    links: tuple[Link, ...]
    packages: frozenset[str]
    """`apt:curl`, `apk:nodejs=20.1`, …"""

    @property
    def text(self) -> str:
        """Equal for what installs the same."""
        return "\n".join(sorted(self.packages))

    @property
    def names(self) -> str:
        """For people."""
        return ", ".join(sorted(name.partition(":")[2] for name in self.packages))


class FirstInstall(msgspec.Struct, frozen=True, eq=False):
    """The first install of a chain, and what stands before it."""

    group: Group
    before: tuple[Link, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """Equal where what stands before may be one chain."""
        return tuple(link.text for link in self.before)

    @property
    def own(self) -> bool:
        """Whether something stands before it whose text does not say it all."""
        return any(link.own for link in self.before)

    @property
    def movable(self) -> bool:
        """Whether all that stands before it might as well follow it, as far as can be told."""
        text = "\n".join(link.text for link in self.group.links)
        return all(_is_movable(link, text) for link in self.before)

    @property
    def span(self) -> Span:
        """Where it begins."""
        return self.group.links[0].instruction.span


def base_key(built: Built) -> str:
    """Equal for images on one base, as far as references tell."""
    base = built.base
    platform = built.stages[0].stage.platform or ""
    return f"{base.repository}@{base.digest or base.tag or 'latest'} {platform}"


def links_of(built: Built, repository: Repository) -> tuple[Link, ...]:
    """The chain above the base, without what makes no layer."""
    facts = repository.facts(built.dockerfile)
    return tuple(
        _link(stage, step, facts)
        for stage in built.stages
        for step in stage.steps
        if step.instruction.keyword not in _ONLY_METADATA
    )


def group_of(links: Sequence[Link], at: int) -> Group | None:
    """The installs of the distribution's packages that begin at a link; None when it does something else as well."""
    found: list[Link] = []
    packages: set[str] = set()
    for link in links[at:]:
        more = plain_install(link.step)
        if more is None:
            break
        found.append(link)
        packages |= more
    return Group(tuple(found), frozenset(packages)) if packages else None


def groups_of(links: Sequence[Link]) -> Iterator[tuple[int, Group]]:
    """All groups of a chain, each with the number of its first link."""
    at = 0
    while at < len(links):
        group = group_of(links, at)
        if group is not None:
            yield at, group
        at += len(group.links) if group else 1


def first_install(links: Sequence[Link]) -> FirstInstall | None:
    """The first RUNs that install packages which processes map, if they do nothing else."""
    at = next((number for number, link in enumerate(links) if mapped_in(link.step.installs)), None)
    if at is None:
        return None
    for start, group in groups_of(links):
        if start <= at < start + len(group.links):
            return FirstInstall(group, tuple(links[:start]))
    return None


def system_packages(installs: Iterable[Install]) -> set[str]:
    """`apt:curl`, `apk:nodejs=20.1`: what installs ask of the distribution."""
    return {
        f"{package.manager}:{package.name}" + (f"={package.version}" if package.version else package.constraint or "")
        for install in installs
        for package in install.packages
        if package.ecosystem in SYSTEM
    }


def _link(stage: StageFacts, step: Step, facts: Facts) -> Link:
    instruction = step.instruction
    flags = " ".join(f"--{flag.name}={flag.value}" for flag in instruction.flags if flag.name != "from")
    bodies = "".join(f"\n{heredoc.content}" for heredoc in instruction.heredocs)
    text = f"{instruction.keyword} {flags} {instruction.value}{bodies}"
    if instruction.keyword in ("COPY", "ADD"):
        source = _foreign_source(step, facts)
        if source is None and instruction.flag("from"):
            source = f"a stage of {facts.dockerfile.path}"
            return Link(step, f"{text} {source}", True)
        return Link(step, f"{text} {source or ''}", source is None and not _only_links_and_text(instruction))
    if instruction.keyword == "RUN":
        return Link(step, text, any(_is_bind(flag.value) for flag in instruction.flags if flag.name == "mount"))
    if instruction.keyword == "ARG":
        names = [word.text.partition("=")[0] for word in instruction.words]
        values = " ".join(f"{name}={stage.stage.environment.get(name)}" for name in names)
        return Link(step, f"{text} {values}", False)
    return Link(step, text, False)


def _foreign_source(step: Step, facts: Facts) -> str | None:
    """The image that a `COPY --from` takes its files of, directly or by a stage that adds nothing to it."""
    flag = step.instruction.flag("from")
    name = expand(flag.value, step.environment) if flag else None
    if not name:
        return None
    stage = named_stage(name, facts)
    if stage is None:
        base = parse_base(name)
    else:
        plain = all(not any(True for _ in each.steps) for each in stage.lineage)
        base = stage.base if plain else None
    return None if base is None or base.repository == "scratch" else f"{base.repository}@{base.digest or base.tag}"


def _only_links_and_text(instruction: Instruction) -> bool:
    """Whether an ADD takes nothing but URLs, and a COPY nothing but here-documents."""
    sources = [word.text.strip("'\"") for word in instruction.words[:-1]]
    return bool(sources) and all(source.startswith(("http://", "https://", "<<")) for source in sources)


def _is_bind(mount: str) -> bool:
    return "type=" not in mount or "type=bind" in mount


def plain_install(step: Step) -> set[str] | None:
    """The packages of a RUN that does nothing but install packages of the distribution; None for any other step."""
    if step.instruction.keyword != "RUN" or not step.commands or not step.installs:
        return None
    if not all(
        _is_plain(placed.command.name, [word.text for word in placed.command.words]) for placed in step.commands
    ):
        return None
    if not all(install.complete and not install.files for install in step.installs):
        return None
    packages = [package for install in step.installs for package in install.packages]
    return system_packages(step.installs) if all(package.ecosystem in SYSTEM for package in packages) else None


def _is_plain(name: str | None, words: Collection[str | None]) -> bool:
    return name in _HOUSEKEEPING or (name in _MANAGERS and _CHANGING.isdisjoint(word or "" for word in words))


def _is_movable(link: Link, install: str) -> bool:
    """Whether the install of that text cannot depend on it, as far as can be told."""
    keyword, words = link.instruction.keyword, link.instruction.words
    if keyword not in _MOVABLE or not words:
        return False
    if keyword in ("COPY", "ADD"):
        target = words[-1].text.strip("\"'")
        return target not in ("/", ".", "./") and not target.startswith(_READ_BY_MANAGERS)
    names = [re.split(r"[=\s]", word.text)[0] for word in words] if keyword != "WORKDIR" else []
    return not any(
        name.startswith(_FOR_MANAGERS) or re.search(rf"\$\{{?{re.escape(name)}\b", install) for name in names
    )
