"""One program, built from source by several Dockerfiles."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.fleet import each_place, fleets, natural, related, teller, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memlint.lint.built import Built
    from memlint.lint.fetched import Source
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location


def source_builds(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per program, at one of the Dockerfiles whose image it comes into."""
    for fleet in fleets(repository, all_files=all_files):
        builds: dict[str, list[Built]] = defaultdict(list)
        for built in fleet:
            for name in dict.fromkeys(source.name for source in built.content.sources):
                builds[name].append(built)
        for name, images in builds.items():
            apart = _apart(name, images)
            if len(apart) >= min_images:
                yield _hit(name, apart)


def _apart(name: str, images: Iterable[Built]) -> list[Built]:
    return each_place(images, lambda built: _place(name, built))


def _hit(name: str, images: list[Built]) -> Hit:
    versions = sorted({source.version for built in images if (source := _source(name, built)).version}, key=natural)
    shown = f" {versions[0]}" if len(versions) == 1 else f" ({', '.join(versions[:5])})" if versions else ""
    anchor, first = images[0], images.pop(teller(images))
    return Hit(
        location=_place(name, first),
        evidence={
            "program": name + shown,
            "count": len(images) + 1,
            "where": where(_place(name, images[0]), len(images)),
        },
        related=related((_place(name, built), f"{name} {_source(name, built).version}".strip()) for built in images),
        anchor=_place(name, anchor),
    )


def _source(name: str, built: Built) -> Source:
    return next(source for source in built.content.sources if source.name == name)


def _place(name: str, built: Built) -> Location:
    return built.at(_source(name, built).place)
