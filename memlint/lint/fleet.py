"""Which Dockerfiles of a repository build images that may run side by side on one node.

Whoever compares all with all cries wolf: tests, examples and tools are no services, the variants of one product are
alternatives, and the projects of a collection have nothing to do with each other. What belongs together is told from
paths and from compose files; a rule's threshold `all_files` takes every Dockerfile for one fleet instead.
"""

from __future__ import annotations

import re
from itertools import islice
from posixpath import basename, dirname

from msgspec.structs import replace

from memlint import TYPE_CHECKING
from memlint.lint.targets import COMPOSE_FILES, UNRELATED, speaks_of_no_service
from memlint.model.finding import Related

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from memlint.lint.built import Built
    from memlint.lint.repository import Repository
    from memlint.model.finding import Location

    T = TypeVar("T")

_NAMED = 10
"""Other places that a finding names."""
_MATRIX = 4
"""Variants of one product from which on a repository is one of images for others."""
_VERSION = r"v?\d+(?:\.\d+)*(?:-?(?:rc|alpha|beta)\d*)?"
_VARIANT = (
    r"(?i:v?\d+(?:\.\w+)*|rc\d*|alpha\d*|beta\d*|alpine[\d.]*|debian\d*|ubuntu[\d.]*|ubi\d*|rhel\d*|fedora\d*|centos\d*"
    r"|rocky(?:linux)?\d*|alma(?:linux)?\d*|mariner[\d.]*|azurelinux[\d.]*|wolfi|distroless|slim|chiseled|minimal|micro"
    r"|wheezy|jessie|stretch|buster|bullseye|bookworm|trixie|forky|sid|trusty|xenial|bionic|focal|jammy|noble"
    r"|cuda[\d.]*|rocm[\d.]*|gpu|cpu|windows|ltsc\d+|nanoserver|windowsservercore|servercore"
    r"|amd64|arm64|aarch64|armv\d+|armhf|arm|x86|x64|i386|ppc64le|s390x|riscv64|musl|glibc"
    r"|jdk\d*|jre\d*|latest|edge|stable|nightly|full|base)"
)
"""Words in a path that tell variants of one product apart."""


def fleets(repository: Repository, *, all_files: bool) -> tuple[tuple[Built, ...], ...]:
    """The groups of images that may run together, each by path; images of Windows and unknown bases are in none."""
    found: tuple[tuple[Built, ...], ...] = repository.once(
        f"fleets {all_files}", lambda: tuple(_fleets(repository, all_files=all_files))
    )
    return found


def _fleets(repository: Repository, *, all_files: bool) -> Iterator[tuple[Built, ...]]:
    groups: dict[str, list[Built]] = {}
    projects = _Projects(repository)
    for path in repository.paths:
        if all_files or not is_unrelated(path):
            images = repository.built(path)
            services = images if all_files else _services(images)
            groups.setdefault("" if all_files else projects.of(path), []).extend(services)
    for _, group in sorted(groups.items()):
        chosen = group if all_files else _one_of_each_product(group)
        if len(chosen) > 1:
            yield tuple(sorted(chosen, key=lambda built: (built.path, built.target)))


def each_place(images: Iterable[T], place: Callable[[T], Location]) -> list[T]:
    """The first of those that are made in one place: images of one Dockerfile may have a stage in common."""
    found: dict[Location, T] = {}
    for image in images:
        found.setdefault(place(image), image)
    return list(found.values())


def teller(group: Sequence[Built]) -> int:
    """Which of the images that a finding is about tells of it: the first that the call is about, else the first."""
    return next((number for number, built in enumerate(group) if built.given), 0)


def where(first: Location, count: int) -> str:
    """The first of so many places, and how many more there are: `api/Dockerfile:3 and 2 more`."""
    text = f"{first.path}:{first.span.line}" if first.span else first.path
    return text + (f" and {count - 1} more" if count > 1 else "")


def related(located: Iterable[tuple[Location, str]]) -> tuple[Related, ...]:
    """Other places with what is there; a finding need not name each of hundreds."""
    return tuple(Related(location, message) for location, message in islice(located, _NAMED))


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts 3.9 before 3.11."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text) if part]


def is_unrelated(path: str) -> bool:
    """Whether the path speaks of no service."""
    *directories, name = path.split("/")
    if any(part.startswith(".") and part.strip(".") for part in directories):
        return True
    words = [word for part in (*directories, _suffix(name)) for word in re.split(r"[-_.]", part.lower())]
    return not UNRELATED.isdisjoint(words)


def _services(images: tuple[Built, ...]) -> tuple[Built, ...]:
    """Those of a Dockerfile whose stage is not called after tests or development; if all are, the one of the last."""
    found = [built for built in images if not speaks_of_no_service(built.target)] or list(images[:1])
    return tuple(found) if len(found) > 1 else tuple(replace(built, target="") for built in found)


def _suffix(name: str) -> str:
    """What a file's name adds to `Dockerfile`: `Dockerfile.web` and `web.Dockerfile` add `web`."""
    return re.sub(r"(?i)dockerfile|containerfile", "", name).strip("-_.")


class _Projects:
    """The outermost directory above a file with a compose file in it; "" when there is none: the whole repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: dict[str, str | None] = {}

    def of(self, path: str) -> str:
        """The project of a file."""
        return "" if path.startswith(("/", "..")) else self._around(dirname(path)) or ""

    def _around(self, directory: str) -> str | None:
        if directory not in self._known:
            above = self._around(dirname(directory)) if directory else None
            found = (self._repository.read(f"{directory}/{name}".lstrip("/")) is not None for name in COMPOSE_FILES)
            self._known[directory] = directory if above is None and any(found) else above
        return self._known[directory]


def _one_of_each_product(group: Iterable[Built]) -> list[Built]:
    """Of the variants of one product the plainest, and of several as plain the newest: no node runs them all.

    Where there are many versions of a product, images are made for others: nobody knows which of them run together.
    """
    products: dict[tuple[str, ...], list[Built]] = {}
    for built in group:
        products.setdefault(_product(built), []).append(built)
    return [max(variants, key=_plainest) for variants in products.values() if not _is_matrix(variants)]


def _is_matrix(variants: Sequence[Built]) -> bool:
    versions = {part for built in variants for part in built.path.split("/") if re.fullmatch(_VERSION, part)}
    return len(variants) >= _MATRIX and len(versions) > 1


def _product(built: Built) -> tuple[str, ...]:
    return tuple(part for part in _parts(built) if not _tells_variants_apart(part))


def _plainest(built: Built) -> tuple[int, list[tuple[int, str]]]:
    return -sum(1 for part in _parts(built) if _tells_variants_apart(part)), natural(f"{built.path} {built.target}")


def _parts(built: Built) -> list[str]:
    """The words in which two images may differ: directories, what the file's name adds, and the stage's name."""
    return [part for part in (*dirname(built.path).split("/"), _suffix(basename(built.path)), built.target) if part]


def _tells_variants_apart(part: str) -> bool:
    return all(re.fullmatch(_VARIANT, word) for word in re.split(r"[-_]", part) if word)
