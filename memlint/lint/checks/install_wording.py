"""Installs that differ in order, grouping or options alone, on the same parent."""

from __future__ import annotations

from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.chains import base_key, chain_of, digest
from memlint.lint.fleet import each_place, fleets, related, where
from memlint.lint.image import images_of
from memlint.model.finding import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.built import Built
    from memlint.lint.chains import Written
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Images
    from memlint.model.finding import Location


def install_wording(repository: Repository, *, min_images: Images, all_files: bool) -> Iterator[Hit]:
    """One hit per Dockerfile that words an install otherwise than most others do on the same chain."""
    for fleet in fleets(repository, all_files=all_files):
        alike: dict[bytes, list[Built]] = defaultdict(list)
        for built in fleet:
            content = built.content
            if content.first is not None:
                before = content.links[: content.first.start]
                if not any(link.own for link in before):
                    texts = digest(*(link.text for link in before))
                    alike[digest(base_key(built), texts, *content.first.packages)].append(built)
        for images in alike.values():
            group = each_place(images, _place)
            if len(group) >= min_images:
                yield from _hits(group, repository)


def _hits(group: Sequence[Built], repository: Repository) -> Iterator[Hit]:
    words: dict[bytes, list[Built]] = defaultdict(list)
    for built in group:
        content = built.content
        if content.first is not None:
            words[digest(*(link.text for link in content.links[content.first.start : content.first.end]))].append(built)
    usual = max(words.values(), key=len)
    if len(words) == 1:
        return
    wanted = _install(usual[0], repository)
    others = related((_place(other), "the same packages") for other in usual)
    for members in words.values():
        for built in members if members is not usual else ():
            yield Hit(
                location=_place(built),
                evidence={
                    "packages": ", ".join(built.content.first.names) if built.content.first else "",
                    "difference": _difference(_install(built, repository), wanted),
                    "where": where(_place(usual[0]), len(usual)),
                },
                related=others,
                suggestion="\n".join(
                    f"{each.step.instruction.keyword} {each.step.instruction.value}" for each in wanted
                ),
            )


def _install(built: Built, repository: Repository) -> Sequence[Written]:
    """The instructions as they are written."""
    dockerfile, first = repository.dockerfile(built.path), built.content.first
    if dockerfile is None or first is None:
        return ()
    facts, place = repository.facts(dockerfile), _place(built)
    for stages in images_of(dockerfile, repository):
        install = chain_of(stages, facts)[first.start : first.end]
        if install and install[0].step.instruction.span == place.span:
            return install
    return ()


def _place(built: Built) -> Location:
    """Where the install begins."""
    content = built.content
    return built.at(content.links[content.first.start if content.first else 0].place)


def _difference(install: Sequence[Written], usual: Sequence[Written]) -> str:
    text, other = ("\n".join(each.text for each in chain) for chain in (install, usual))
    if text.split() == other.split():
        return "blanks"
    return "order or options" if text.count("\nRUN ") == other.count("\nRUN ") else "grouping"
