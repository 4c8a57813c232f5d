"""One program, built from source by several Dockerfiles."""

from __future__ import annotations

import re
from collections import defaultdict
from posixpath import basename
from urllib.parse import urlsplit

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.fleet import fleets, natural, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Step
    from memlint.lint.fleet import Built
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Span

_ARCHIVE = re.compile(r"(.+?)\.(?:tar\.(?:gz|bz2|xz|zst)|tgz|tbz2?|txz|zip)$")
_VERSION = re.compile(
    r"[-_.]?v?(\d+(?:[._]\d+)+(?:[-_.]?(?:alpha|beta|pre|rc|[a-z])\.?\d*)?)(?![A-Za-z])|[-_.](?:src|source|orig)\b"
)
_FORGE = re.compile(r"https?://(?:github|gitlab)\.com/([^/]+)/([^/]+?)(?:\.git|/.*)?$")


class Source(msgspec.Struct, frozen=True):
    """Which program's source is fetched, and where."""

    name: str
    version: str
    span: Span


def source_builds(repository: Repository, *, min_images: int, all_files: bool) -> Iterator[Hit]:
    """One hit per program, at the first of the Dockerfiles whose image it comes into."""
    for fleet in fleets(repository, all_files=all_files):
        builds: dict[str, dict[str, tuple[Built, Source]]] = defaultdict(dict)
        for built in fleet:
            for stage in built.sources:
                for source in _sources(stage.steps):
                    builds[source.name].setdefault(built.path, (built, source))
        for name, files in builds.items():
            if len(files) >= min_images:
                yield _hit(name, list(files.values()))


def _sources(steps: Sequence[Step]) -> Iterator[Source]:
    """What a stage builds and installs: the source that was fetched last before each install of a build."""
    latest: Source | None = None
    for placed in (placed for step in steps if step.instruction.keyword == "RUN" for placed in step.commands or ()):
        if placed.command.name in ("curl", "wget", "git"):
            latest = next((source for word, span in placed.arguments if (source := _source(word.text, span))), latest)
        elif latest is not None and _installs_a_build(placed):
            yield latest


def _installs_a_build(placed: Placed) -> bool:
    """`make install`, `cmake --install`, `ninja install`, `meson install`."""
    words = [word.text for word in placed.command.arguments]
    if placed.command.name in ("make", "gmake", "ninja", "meson"):
        return any(word is not None and word.startswith("install") for word in words)
    return placed.command.name == "cmake" and "--install" in words


def _source(url: str | None, span: Span) -> Source | None:
    """The source that an URL is of, by its file's or its repository's name; None when it may be anything."""
    if url is None or not url.startswith(("http://", "https://")):
        return None
    archive = _ARCHIVE.match(basename(urlsplit(url).path))
    forge = _FORGE.match(url)
    if archive is None and (forge is None or (not url.endswith(".git") and url.count("/") > 4)):
        return None
    name = forge[2] if forge and (archive is None or _VERSION.fullmatch(archive[1])) else archive[1] if archive else ""
    if forge and archive and "/archive/" in url:
        name = forge[2]
    found = _VERSION.search(archive[1] if archive else "")
    plain = _VERSION.sub("", name).strip("-_.").lower()
    return Source(plain, (found[1] or "") if found else "", span) if plain else None


def _hit(name: str, found: Sequence[tuple[Built, Source]]) -> Hit:
    (first, source), *others = found
    places = [built.at(other.span) for built, other in others]
    versions = sorted({each.version for _, each in found if each.version}, key=natural)
    shown = f" {versions[0]}" if len(versions) == 1 else f" ({', '.join(versions[:5])})" if versions else ""
    return Hit(
        location=first.at(source.span),
        evidence={
            "program": name + shown,
            "count": len(found),
            "where": where(places),
        },
        related=related(
            (place, f"{name} {other.version}".strip()) for place, (_, other) in zip(places, others, strict=True)
        ),
    )
