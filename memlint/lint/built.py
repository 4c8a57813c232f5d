"""The image that a Dockerfile builds, as others are compared with it: little enough to keep for thousands of files."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.bases import ONLY_FULL
from memlint.lint.chains import FirstInstall, Link, chain_of, first_install, link_of
from memlint.lint.contents import Listed, packages_of
from memlint.lint.fetched import Source, sources_of
from memlint.lint.image import final_stages, reaching
from memlint.model.dockerfile import Span
from memlint.model.finding import Location

if TYPE_CHECKING:
    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.facts import Facts, StageFacts
    from memlint.lint.repository import Repository


class Content(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is in an image.

    - `links`: the chain above the base; `first` its first install.
    - `packages` and `sources`: what all its stages install, and build from source.
    - `foreign`: the bases, by repository, of stages that only files are copied of.
    - `full`: the programs that its chain runs, does not install, and finds on full bases alone.
    """

    links: tuple[Link, ...]
    first: FirstInstall | None
    packages: tuple[Listed, ...]
    sources: tuple[Source, ...]
    foreign: tuple[str, ...]
    full: tuple[str, ...]


class Built(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The image that a Dockerfile builds. `given`: the call is about this Dockerfile, not only about others."""

    path: str
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


def built_of(facts: Facts, repository: Repository) -> Built | None:
    """None for an image of Windows, and where the base is not known."""
    dockerfile = facts.dockerfile
    outline = repository.outline(dockerfile.path)
    stages = final_stages(dockerfile, repository)
    if not stages or outline.base is None:
        return None
    content = _content(stages, reaching(dockerfile, repository), facts, repository)
    return Built(
        path=dockerfile.path,
        base=outline.base,
        base_span=outline.base_span,
        platform=stages[0].stage.platform or "",
        given=dockerfile.path in repository.given,
        encoded=_encoded(content),
    )


def _content(
    stages: tuple[StageFacts, ...], sources: tuple[StageFacts, ...], facts: Facts, repository: Repository
) -> Content:
    steps = [step for stage in stages for step in stage.steps]
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
    )


def _encoded(content: Content) -> bytes | Content:
    try:
        return msgspec.msgpack.encode(content)
    except UnicodeEncodeError:  # words that are not UTF-8; few files have any
        return content
