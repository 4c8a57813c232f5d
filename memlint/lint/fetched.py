"""Which programs an image's stages build from source."""

from __future__ import annotations

import re
from posixpath import basename

import msgspec
from msgspec.structs import astuple

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Step
    from memlint.model.dockerfile import Span

_ARCHIVE = r"(.+?)\.(?:tar\.(?:gz|bz2|xz|zst)|tgz|tbz2?|txz|zip)$"
_VERSION = (
    r"[-_.]?v?(\d+(?:[._]\d+)+(?:[-_.]?(?:alpha|beta|pre|rc|[a-z])\.?\d*)?)(?![A-Za-z])|[-_.](?:src|source|orig)\b"
)
_FORGE = r"https?://(?:github|gitlab)\.com/([^/]+)/([^/]+?)(?:\.git|/.*)?$"


class Source(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Which program's source is fetched, and where."""

    name: str
    version: str
    place: tuple[int, int, int, int]


def sources_of(steps: Sequence[Step]) -> Iterator[Source]:
    """What a stage builds and installs: the source that was fetched last before each install of a build."""
    latest: Source | None = None
    for placed in (placed for step in steps if step.instruction.keyword == "RUN" for placed in step.commands or ()):
        if placed.command.name in ("curl", "wget", "git"):
            latest = next((source for word, span in placed.arguments if (source := _source(word.text, span))), latest)
        elif latest is not None and _installs_a_build(placed):
            yield latest


def _installs_a_build(placed: Placed) -> bool:
    """`make install`, `cmake --install`, `ninja install`, `meson install`, where they run for certain."""
    if placed.command.conditional:
        return False
    words = [word.text for word in placed.command.arguments]
    if placed.command.name in ("make", "gmake", "ninja", "meson"):
        return any(word is not None and word.startswith("install") for word in words)
    return placed.command.name == "cmake" and "--install" in words


def _source(url: str | None, span: Span) -> Source | None:
    """The source that an URL is of, by its file's or its repository's name; None when it may be anything."""
    if url is None or not url.startswith(("http://", "https://")):
        return None
    archive = re.match(_ARCHIVE, basename(re.split("[?#]", url)[0]))
    forge = re.match(_FORGE, url)
    if archive is None and (forge is None or (not url.endswith(".git") and url.count("/") > 4)):
        return None
    name = (
        forge[2] if forge and (archive is None or re.fullmatch(_VERSION, archive[1])) else archive[1] if archive else ""
    )
    if forge and archive and "/archive/" in url:
        name = forge[2]
    found = re.search(_VERSION, archive[1] if archive else "")
    plain = re.sub(_VERSION, "", name).strip("-_.").lower()
    return Source(plain, (found[1] or "") if found else "", astuple(span)) if plain else None
