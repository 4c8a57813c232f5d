"""The image that a Dockerfile builds, as others are compared with it: little enough to keep for thousands of files."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.bases import ONLY_FULL
from memlint.lint.chains import FirstInstall, Link, chain_of, first_install, link_of
from memlint.lint.contents import Listed, packages_of
from memlint.lint.fetched import Source, sources_of
from memlint.lint.image import images_of, reaching_into, steps_of
from memlint.model.dockerfile import Span
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.finding import Location

if TYPE_CHECKING:
    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.facts import Facts, StageFacts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Instruction


class Content(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is in an image.

    - `links`: the chain above the base; `first` its first install.
    - `packages` and `sources`: what all its stages install, and build from source.
    - `foreign`: the bases, by repository, of stages that only files are copied of.
    - `full`: the programs that its chain runs, does not install, and finds on full bases alone.
    - `shell`: a RUN, or a start in shell form, needs one; `system`: packages of the distribution are installed.
    """

    links: tuple[Link, ...]
    first: FirstInstall | None
    packages: tuple[Listed, ...]
    sources: tuple[Source, ...]
    foreign: tuple[str, ...]
    full: tuple[str, ...]
    shell: bool
    system: bool


class Built(msgspec.Struct, frozen=True, eq=False, gc=False):
    """An image that is built of a Dockerfile.

    - `target`: the name of its stage, where several are built of that Dockerfile.
    - `given`: the call is about this Dockerfile, not only about others.
    """

    path: str
    target: str
    base: BaseImage
    base_span: Span
    platform: str
    given: bool
    encoded: bytes | Content

    @property
    def content(self) -> Content:
        """Decoded anew each time: a check that compares many images keeps what it needs of it alone."""
        return self.encoded if isinstance(self.encoded, Content) else _DECODER.decode(self.encoded)

    @property
    def from_place(self) -> Location:
        """Where the base is named."""
        return Location(self.path, self.base_span)

    def at(self, place: tuple[int, int, int, int]) -> Location:
        """A place in its Dockerfile."""
        return Location(self.path, Span(*place))


_DECODER = msgspec.msgpack.Decoder(Content)


def built_of(facts: Facts, repository: Repository) -> tuple[Built, ...]:
    """The images of a Dockerfile; without those of Windows, and those whose base is not known."""
    dockerfile = facts.dockerfile
    images = images_of(dockerfile, repository)
    outline = repository.outline(dockerfile.path)
    return tuple(
        Built(
            path=dockerfile.path,
            target=(stages[-1].stage.name or "") if len(images) > 1 else "",
            base=outline.base if outline.base == base else base,  # what is equal is kept once
            base_span=outline.base_span if outline.base_span == (span := stages[0].stage.base_span) else span,
            platform=stages[0].stage.platform or "",
            given=dockerfile.path in repository.given,
            encoded=_encoded(_content(stages, facts, repository)),
        )
        for stages in images
        if (base := stages[0].base) is not None
    )


def _content(stages: tuple[StageFacts, ...], facts: Facts, repository: Repository) -> Content:
    steps, sources = steps_of(stages), reaching_into(stages, facts)
    installed = {package.name for step in steps for install in step.installs for package in install.packages}
    names = {placed.command.name or "" for step in steps for placed in step.commands or ()}
    chain = chain_of(stages, facts)
    return Content(
        links=tuple(link_of(written, facts) for written in chain),
        first=first_install(chain),
        packages=tuple(packages_of(sources, facts, repository)),
        sources=tuple(source for stage in sources for source in sources_of(stage.steps)),
        foreign=tuple(sorted({each.base.repository for each in sources if each.base and each not in stages})),
        full=tuple(sorted((names & ONLY_FULL) - installed)),
        shell=any(_needs_shell(step.instruction) for step in steps),
        system=any(install.ecosystem in DISTRIBUTION for step in steps for install in step.installs),
    )


def _needs_shell(instruction: Instruction) -> bool:
    return instruction.keyword == "RUN" or (instruction.keyword in ("CMD", "ENTRYPOINT") and not instruction.json)


def _encoded(content: Content) -> bytes | Content:
    try:
        return msgspec.msgpack.encode(content)
    except UnicodeEncodeError:  # words that are not UTF-8; few files have any
        return content
