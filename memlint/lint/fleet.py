"""Which Dockerfiles of a repository build images that may run side by side on one node.

Whoever compares all with all cries wolf: tests, examples and tools are no services, the variants of one product are
alternatives, and the projects of a collection have nothing to do with each other. What belongs together is told from
paths and from compose files; a rule's threshold `all_files` takes every Dockerfile for one fleet instead.
"""

from __future__ import annotations

import re
from posixpath import basename, dirname

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.image import final_stages, reaching
from memlint.model.finding import Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.facts import StageFacts, Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Span

_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")

_UNRELATED = frozenset(
    "benchmark benchmarks bench ci contrib demo demos dev devcontainer devel debug doc docs e2e example"
    " examples fixture fixtures genproto hack lint node_modules release sample samples script scripts test"
    " testdata testfile testfiles testing tests authors cypress shellcheck third thirdparty tool toolchain"
    " tooling tools tutorial tutorials vendor vendored".split()
)
"""Words in a path that speak of no service."""

_VARIANT = re.compile(
    r"v?\d+(?:\.\w+)*|rc\d*|alpha\d*|beta\d*|alpine[\d.]*|debian\d*|ubuntu[\d.]*|ubi\d*|rhel\d*|fedora\d*|centos\d*"
    r"|rocky(?:linux)?\d*|alma(?:linux)?\d*|mariner[\d.]*|azurelinux[\d.]*|wolfi|distroless|slim|chiseled|minimal|micro"
    r"|wheezy|jessie|stretch|buster|bullseye|bookworm|trixie|forky|sid|trusty|xenial|bionic|focal|jammy|noble"
    r"|cuda[\d.]*|rocm[\d.]*|gpu|cpu|windows|ltsc\d+|nanoserver|windowsservercore|servercore"
    r"|amd64|arm64|aarch64|armv\d+|armhf|arm|x86|x64|i386|ppc64le|s390x|riscv64|musl|glibc"
    r"|jdk\d*|jre\d*|latest|edge|stable|nightly|full|base",
    re.IGNORECASE,
)
"""Words in a path that tell variants of one product apart."""


class Built(msgspec.Struct, frozen=True, eq=False):
    """The image that a Dockerfile builds.

    `stages` are those whose layers it has, the lowest first; `sources` all from which anything comes into it.
    """

    dockerfile: Dockerfile
    base: BaseImage
    stages: tuple[StageFacts, ...]
    sources: tuple[StageFacts, ...]

    @property
    def path(self) -> str:
        return self.dockerfile.path

    @property
    def steps(self) -> Iterator[Step]:
        """The steps of its chain, from the base up."""
        return (step for stage in self.stages for step in stage.steps)

    @property
    def from_span(self) -> Span:
        """Where the base is named."""
        return self.stages[0].stage.base_span

    def at(self, span: Span) -> Location:
        """A place in its Dockerfile."""
        return Location(self.path, span)


def fleets(repository: Repository, *, all_files: bool) -> Iterator[tuple[Built, ...]]:
    """The groups of images that may run together, each by path; images of Windows and unknown bases are in none."""
    groups: dict[str, list[Built]] = {}
    for dockerfile in repository.dockerfiles:
        if all_files or not _is_unrelated(dockerfile.path):
            built = _built(dockerfile, repository)
            if built is not None:
                groups.setdefault("" if all_files else _project(dockerfile.path, repository), []).append(built)
    for _, group in sorted(groups.items()):
        chosen = group if all_files else _one_of_each_product(group)
        if len(chosen) > 1:
            yield tuple(sorted(chosen, key=lambda built: built.path))


def where(located: Sequence[Location]) -> str:
    """The first of the places, and how many more there are: `api/Dockerfile:3 and 2 more`."""
    first = located[0]
    text = f"{first.path}:{first.span.line}" if first.span else first.path
    return text + (f" and {len(located) - 1} more" if len(located) > 1 else "")


def related(located: Iterable[tuple[Location, str]], most: int = 10) -> tuple[Related, ...]:
    """Other places with what is there; a finding need not name each of hundreds."""
    return tuple(Related(location, message) for location, message in list(located)[:most])


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts 3.9 before 3.11."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text) if part]


def _built(dockerfile: Dockerfile, repository: Repository) -> Built | None:
    stages = final_stages(dockerfile, repository)
    base = stages[0].base if stages else None
    return Built(dockerfile, base, stages, reaching(dockerfile, repository)) if base is not None else None


def _is_unrelated(path: str) -> bool:
    *directories, name = path.split("/")
    if any(part.startswith(".") and part.strip(".") for part in directories):
        return True
    words = [word for part in (*directories, _suffix(name)) for word in re.split(r"[-_.]", part.lower())]
    return not _UNRELATED.isdisjoint(words)


def _suffix(name: str) -> str:
    """What a file's name adds to `Dockerfile`: `Dockerfile.web` and `web.Dockerfile` add `web`."""
    return re.sub(r"(?i)dockerfile|containerfile", "", name).strip("-_.")


def _project(path: str, repository: Repository) -> str:
    """The outermost directory above a file with a compose file in it; "" when there is none: the whole repository."""
    if path.startswith(("/", "..")):
        return ""
    directories = []
    while path:
        path = dirname(path)
        directories.append(path)
    for directory in reversed(directories):
        if any(repository.read(f"{directory}/{name}".lstrip("/")) is not None for name in _COMPOSE):
            return directory
    return ""


def _one_of_each_product(group: Iterable[Built]) -> list[Built]:
    """Of the variants of one product the plainest, and of several as plain the newest: no node runs them all."""
    products: dict[tuple[str, ...], list[Built]] = {}
    for built in group:
        products.setdefault(_product(built.path), []).append(built)
    return [max(variants, key=_plainest) for variants in products.values()]


def _product(path: str) -> tuple[str, ...]:
    parts = (*dirname(path).split("/"), _suffix(basename(path)))
    return tuple(part for part in parts if part and not _tells_variants_apart(part))


def _plainest(built: Built) -> tuple[int, list[tuple[int, str]]]:
    parts = (*dirname(built.path).split("/"), _suffix(basename(built.path)))
    return -sum(1 for part in parts if part and _tells_variants_apart(part)), natural(built.path)


def _tells_variants_apart(part: str) -> bool:
    return all(_VARIANT.fullmatch(word) for word in re.split(r"[-_]", part) if word)
