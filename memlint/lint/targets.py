"""Which stages of a Dockerfile are built as images, and which bases seem to be.

The last one; those that compose files, bake files and skaffold name as a target; and those that nothing in the file
uses, for somebody builds them with `--target`. A stage that is called after a step of a build is none of the latter.
"""

from __future__ import annotations

import re
from posixpath import dirname

from memlint import TYPE_CHECKING
from memlint.dockerfile.stages import unused_stages
from memlint.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.facts import Facts, StageFacts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Stage

_MOST = 100
"""Images of one Dockerfile that are looked at, beside that of its last stage."""
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""What compose looks for in a directory."""
_BAKE_FILES = ("docker-bake.hcl", "docker-bake.json")
_SKAFFOLD_FILES = ("skaffold.yaml",)

UNRELATED = frozenset(
    "benchmark benchmarks bench ci contrib demo demos dev devcontainer devel debug doc docs e2e example"
    " examples fixture fixtures genproto hack lint node_modules release sample samples script scripts test"
    " testdata testfile testfiles testing tests authors cypress shellcheck third thirdparty tool toolchain"
    " tooling tools tutorial tutorials vendor vendored".split()
)
"""Words in a path or the name of a stage that speak of no service."""
_AT_HOME = (UNRELATED | {"development", "local"}) - {"release"}
"""Words in the name of a stage whose image runs where it is developed."""
_PRODUCTS = frozenset(("final", "prod", "production", "runtime"))
_STEPS = frozenset(
    "artifact artifacts assets binaries binary build builder builds cache check checks compile compiler"
    " coverage deps dependencies envs export fmt format gen generate generated install installer integration"
    " license licenses mocks modules outdated output package packages plugins prep prepare shell source sources src"
    " update analysis analyze fix validate validation validator verify".split()
)
"""Words in the name of a stage that is a step of a build."""


def targets_of(facts: Facts, repository: Repository) -> tuple[StageFacts, ...]:
    """The stages whose images are built, the last one of the file first."""
    stages = facts.dockerfile.stages
    if len(stages) < 2:
        return facts.stages
    wanted = {stage.index for stage in (*facts.leaves, *_named(facts, repository))} - {stages[-1].index}
    return (facts.stages[-1], *(facts.stages[index] for index in sorted(wanted)[-_MOST:]))


def leaves_of(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages with a name that nothing in the file needs, but steps of a build or of development.

    One that is called a product is none the less one when a test copies from it.
    """
    steps = frozenset(stage.index for stage in stages if stage.name and _is_step(stage.name))
    unused = {stage.index for stage in unused_stages(stages) if stage.name} - steps
    tested = (stage for stage in unused_stages(stages, steps) if stage.name)
    products = {stage.index for stage in tested if not _PRODUCTS.isdisjoint(_words(stage.name or ""))}
    return tuple(stages[index] for index in sorted(unused | (products - steps)))


def speaks_of_no_service(stage: str) -> bool:
    """Whether the name of a stage does."""
    return not _AT_HOME.isdisjoint(_words(stage))


def is_built_here(base: BaseImage, repository: Repository) -> bool:
    """Whether a base seems to be an image of the repository itself: a Dockerfile lies in, or has, its name."""
    namespace, _, name = base.repository.rpartition("/")
    return bool(namespace) and name in repository.once("parts of paths", lambda: _parts(repository))


def _is_step(stage: str) -> bool:
    return speaks_of_no_service(stage) or not _STEPS.isdisjoint(_words(stage))


def _words(name: str) -> list[str]:
    return re.split(r"[-_.]", name.lower())


def _named(facts: Facts, repository: Repository) -> Iterator[Stage]:
    """The stages that files beside the Dockerfile, or in a directory above it, name."""
    path, stages = facts.dockerfile.path, facts.dockerfile.stages
    if path.startswith(("/", "..")):
        return
    names = {(stage.name or "").lower(): stage for stage in stages} | {str(stage.index): stage for stage in stages}
    directory = path
    while directory:
        directory = dirname(directory)
        for dockerfile, target in repository.targets_named_in(directory):
            if dockerfile == path and target.lower() in names:
                yield names[target.lower()]


def named_in(directory: str, repository: Repository) -> tuple[tuple[str, str], ...]:
    """The Dockerfiles and stages that files of a directory name as what is built."""
    found: set[tuple[str, str]] = set()
    for path, text in _files(COMPOSE_FILES, directory, repository):
        found.update(_by_compose(text, path))
    for path, text in _files((*_BAKE_FILES, *_SKAFFOLD_FILES), directory, repository):
        from memlint.dockerfile.bake import read_bake, read_skaffold  # few repositories have one

        if path.endswith(_SKAFFOLD_FILES):
            found.update(read_skaffold(text, path))
        else:  # it runs linters and tests, too
            found.update(pair for pair in read_bake(text, path) if not _is_step(pair[1]))
    return tuple(sorted(found))


def _by_compose(text: str, path: str) -> Iterator[tuple[str, str]]:
    from memlint.dockerfile.compose import read_compose

    try:
        services = read_compose(text, path, {})
    except UsageError:  # lint is not about compose files: one that cannot be read tells nothing
        return
    for service in services:
        if service.dockerfile and service.target:
            yield service.dockerfile, service.target


def _files(names: tuple[str, ...], directory: str, repository: Repository) -> Iterator[tuple[str, str]]:
    """Those that may name a target, with their texts."""
    for name in names:
        path = f"{directory}/{name}" if directory else name
        text = repository.read(path)
        if text and "target" in text:
            yield path, text


def _parts(repository: Repository) -> set[str]:
    """The names that directories and Dockerfiles have."""
    return {part for path in repository.paths for part in re.split(r"[/.]", path)}
