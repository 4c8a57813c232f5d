"""A Dockerfile's chain of layers as text: how far two of them are the same instructions on the same base."""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import astuple

from memlint import TYPE_CHECKING
from memlint.dockerfile.aliases import key_of
from memlint.dockerfile.reference import parse_base
from memlint.lint.image import copy_of, named_stage
from memlint.lint.installing import READ_BY_MANAGERS
from memlint.lint.natives import mapped_in
from memlint.model.dockerfile import Span
from memlint.model.ecosystems import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.built import Built
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.model.dockerfile import Instruction

_MANAGERS = frozenset("apt-get apt apk dnf dnf5 tdnf yum microdnf zypper".split())
_HOUSEKEEPING = frozenset({"rm", "true", ":", "set", "export"})
_ONLY_METADATA = frozenset("LABEL EXPOSE CMD ENTRYPOINT HEALTHCHECK STOPSIGNAL VOLUME MAINTAINER ONBUILD".split())
"""Instructions that make no layer, and that no later RUN depends on."""
_MOVABLE = frozenset(["COPY", "ADD", "ENV", "ARG", "WORKDIR"])
_FOR_MANAGERS = ("DEBIAN_FRONTEND", "APT_", "HTTP", "http", "LANG", "LC_", "TZ")
"""Variables that change what a package manager does."""
_CHANGING = frozenset("upgrade dist-upgrade full-upgrade distro-sync".split())


class Link(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An instruction of a chain.

    - `text`: a digest of what a builder compares; equal texts on equal parents may make one layer.
    - `own`: the text does not say it all: files of the build context, or of a stage of this file, go in.
    - `mapped`: the packages that it installs and processes map files of, as people write them.
    - `origin`: the image that a COPY takes its `copies` of, in case it is one.
    """

    text: bytes
    keyword: str
    place: tuple[int, int, int, int]
    own: bool
    mapped: tuple[str, ...]
    origin: str
    copies: tuple[str, ...]

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(*self.place)


class FirstInstall(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first install of a chain: RUNs in a row that install packages of the distribution, and nothing else.

    - `start` and `end`: the numbers of its links; `end` is exclusive.
    - `packages`: `apt:curl`, `apk:nodejs=20.1`, …, sorted: order and words do not matter.
    - `movable`: all that stands before it might as well follow it, as far as can be told.
    """

    start: int
    end: int
    packages: tuple[str, ...]
    movable: bool

    @property
    def names(self) -> list[str]:
        """For people."""
        return sorted(name.partition(":")[2] for name in self.packages)


class Written(msgspec.Struct, frozen=True, eq=False):
    """An instruction of a chain with its whole text; see Link."""

    step: Step
    text: str
    own: bool
    origin: str = ""


def chain_of(stages: Iterable[StageFacts], facts: Facts) -> tuple[Written, ...]:
    """The chain above the base, without what makes no layer."""
    return tuple(
        _written(stage, step, facts)
        for stage in stages
        for steps in (stage.parent.triggered if stage.parent else (), stage.steps)
        for step in steps
        if step.instruction.keyword not in _ONLY_METADATA
    )


def link_of(written: Written, facts: Facts) -> Link:
    """What is kept of an instruction."""
    copy = None if written.own else copy_of(written.step, facts)
    instruction = written.step.instruction
    return Link(
        text=digest(written.text),
        keyword=instruction.keyword,
        place=astuple(instruction.span),
        own=written.own,
        mapped=tuple(sorted(mapped_in(written.step.installs))),
        origin=written.origin,
        copies=copy.sources if copy else (),
    )


def first_install(chain: Sequence[Written]) -> FirstInstall | None:
    """The first RUNs that install packages which processes map, if they do nothing else."""
    at = next((number for number, written in enumerate(chain) if mapped_in(written.step.installs)), len(chain))
    for start, end, packages in _groups(chain):
        if start <= at < end:
            text = "\n".join(written.text for written in chain[start:end])
            movable = all(_is_movable(written.step.instruction, text) for written in chain[:start])
            return FirstInstall(start, end, tuple(sorted(packages)), movable)
    return None


def _groups(chain: Sequence[Written]) -> Iterator[tuple[int, int, set[str]]]:
    """The RUNs in a row that install packages of the distribution alone: first, end, and packages."""
    at = 0
    while at < len(chain):
        end, packages = at, set[str]()
        while end < len(chain) and (more := plain_install(chain[end].step)) is not None:
            end, packages = end + 1, packages | more
        if packages:
            yield at, end, packages
        at = end if packages else at + 1


def base_key(built: Built) -> str:
    """Equal for images on one base, as far as references tell."""
    return f"{key_of(built.base)} {built.platform}"


def digest(*texts: str | bytes) -> bytes:
    """Equal for equal texts."""
    from hashlib import blake2b  # only comparisons pay for it

    parts = (text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape") for text in texts)
    return blake2b(b"".join(b"%d %b" % (len(part), part) for part in parts), digest_size=12).digest()


def system_packages(installs: Iterable[Install]) -> set[str]:
    """`apt:curl`, `apk:nodejs=20.1`: what installs ask of the distribution."""
    return {
        f"{package.manager}:{package.name}" + (f"={package.version}" if package.version else package.constraint or "")
        for install in installs
        for package in install.packages
        if package.ecosystem in DISTRIBUTION
    }


def _written(stage: StageFacts, step: Step, facts: Facts) -> Written:
    instruction = step.instruction
    flags = " ".join(f"--{flag.name}={flag.value}" for flag in instruction.flags if flag.name != "from")
    bodies = "".join(f"\n{heredoc.content}" for heredoc in instruction.heredocs)
    text = f"{instruction.keyword} {flags} {instruction.value}{bodies}"
    if instruction.keyword in ("COPY", "ADD"):
        origin = _foreign_source(step, facts)
        if origin is None and instruction.flag("from"):
            return Written(step, f"{text} a stage of {facts.dockerfile.path}", own=True)
        own = origin is None and not _only_links_and_text(instruction)
        return Written(step, f"{text} {origin or ''}", own, origin or "")
    if instruction.keyword == "RUN":
        return Written(step, text, any(_is_bind(flag.value) for flag in instruction.flags if flag.name == "mount"))
    if instruction.keyword == "ARG":
        names = [word.text.partition("=")[0] for word in instruction.words]
        values = " ".join(f"{name}={stage.stage.environment.get(name)}" for name in names)
        return Written(step, f"{text} {values}", own=False)
    return Written(step, text, own=False)


def _foreign_source(step: Step, facts: Facts) -> str | None:
    """The image that a `COPY --from` takes its files of, directly or by a stage that adds nothing to it."""
    flag = step.instruction.flag("from")
    name = step.expanded(flag.value) if flag else None
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
    return system_packages(step.installs) if all(package.ecosystem in DISTRIBUTION for package in packages) else None


def _is_plain(name: str | None, words: Collection[str | None]) -> bool:
    return name in _HOUSEKEEPING or (name in _MANAGERS and _CHANGING.isdisjoint(word or "" for word in words))


def _is_movable(instruction: Instruction, install: str) -> bool:
    """Whether the install of that text cannot depend on it, as far as can be told."""
    keyword, words = instruction.keyword, instruction.words
    if keyword not in _MOVABLE or not words:
        return False
    if keyword in ("COPY", "ADD"):
        target = words[-1].text.strip("\"'")
        return target not in ("/", ".", "./") and not target.startswith(READ_BY_MANAGERS)
    names = [re.split(r"[=\s]", word.text)[0] for word in words] if keyword != "WORKDIR" else []
    used = frozenset(re.findall(r"\$\{?(\w+)", install))
    return not any(name.startswith(_FOR_MANAGERS) or name in used for name in names)
