"""The same install above other instructions than in the other Dockerfiles: the chains part below it."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.chains import base_key, digest
from memlint.lint.fleet import each_place, fleets, related, where
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.built import Built
    from memlint.lint.chains import Link
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location


def install_order(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per Dockerfile that has a COPY, ADD, ENV, ARG or WORKDIR of its own above an install that others have."""
    for fleet in fleets(repository, all_files=all_files):
        alike: dict[tuple[str, bytes], list[Built]] = defaultdict(list)
        for built in fleet:
            first = built.content.first
            if first is not None and first.movable:
                alike[base_key(built), digest(*first.packages)].append(built)
        for images in alike.values():
            group = each_place(images, _place)
            if len(group) >= min_images:
                yield from _hits(group)


def _hits(group: Sequence[Built]) -> Iterator[Hit]:
    same: dict[bytes, list[Built]] = defaultdict(list)
    for built in group:
        same[digest(*(link.text for link in _before(built)))].append(built)
    usual = max(same.values(), key=lambda images: (len(images), -len(_before(images[0]))))
    texts = {link.text for link in _before(usual[0])}
    for images in same.values():
        for built in images if images is not usual else ():
            extra = next((link for link in _before(built) if link.text not in texts), None)
            if extra is not None:
                yield _hit(built, extra, usual)


def _hit(built: Built, extra: Link, usual: Sequence[Built]) -> Hit:
    first = built.content.first
    above = (built.at(extra.place), "what the others do not have above the install")
    others = ((_place(other), "the same packages") for other in usual)
    return Hit(
        location=_place(built),
        evidence={
            "packages": ", ".join(first.names) if first else "",
            "above": f"{extra.keyword} in line {extra.span.line}",
            "where": where(_place(usual[0]), len(usual)),
        },
        related=related(pair for pairs in ((above,), others) for pair in pairs),
    )


def _before(built: Built) -> Sequence[Link]:
    """What stands above the install."""
    content = built.content
    return content.links[: content.first.start] if content.first else ()


def _place(built: Built) -> Location:
    """Where the install begins."""
    content = built.content
    return built.at(content.links[content.first.start if content.first else 0].place)
