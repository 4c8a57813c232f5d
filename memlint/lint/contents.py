"""Which packages an image installs that processes map files of, those included that lists in its build context name."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from posixpath import basename, dirname, join, normpath

import msgspec
from msgspec.structs import astuple

from memlint import TYPE_CHECKING
from memlint.lint.image import copy_of
from memlint.lint.natives import is_mapped
from memlint.model.dockerfile import Span
from memlint.model.finding import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.image import Copy
    from memlint.lint.repository import Repository

_INDEX = ("-i", "--index", "--extra-index", "--default-index", "-f", "--find-links", "--registry")
_LISTS_DEEP = 4
"""Lists in lists (`-r other.txt`) that are followed."""


class Listed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A package of an image. `place` is where it is installed, `line` the line of the list `path` that names it.

    `index` says where it is taken from when that is not the usual place.
    """

    manager: str
    ecosystem: str
    name: str
    version: str | None
    conditional: bool
    index: str
    place: tuple[int, int, int, int]
    path: str | None = None
    line: tuple[int, int, int, int] | None = None

    def installed(self, dockerfile: str) -> Location:
        """What installs it."""
        return Location(dockerfile, Span(*self.place))

    def named(self, dockerfile: str) -> Location:
        """What names it: a line of a list, or the command."""
        if self.path is None or self.line is None:
            return self.installed(dockerfile)
        return Location(self.path, Span(*self.line))


def packages_of(stages: Iterable[StageFacts], facts: Facts, repository: Repository) -> Iterator[Listed]:
    """The packages that stages install and processes map files of, by commands and by lists that are found."""
    for stage in stages:
        for step in stage.steps:
            for install in step.installs:
                found = [*_named(install)]
                for path in install.files:
                    found += _in_list(path, install, stage, step, facts, repository)
                yield from (listed for listed in found if is_mapped(listed.ecosystem, listed.name))


def _named(install: Install) -> Iterator[Listed]:
    for package in install.packages:
        yield Listed(
            install.manager,
            package.ecosystem,
            package.name,
            package.version,
            install.conditional,
            _index(install),
            astuple(package.span),
        )


def _index(install: Install) -> str:
    return " ".join(option for option in install.options if option.startswith(_INDEX))


def _in_list(
    path: str, install: Install, stage: StageFacts, step: Step, facts: Facts, repository: Repository
) -> Iterator[Listed]:
    """The packages of a list, where the file that it is a copy of can be found."""
    inside = path if path.startswith("/") else None if install.directory is None else join(install.directory, path)
    found = _find(inside, path, stage, step, facts, repository)
    if found is None:
        return
    index, place = _index(install), astuple(install.span)
    for ecosystem, name, version, source in read_list(found, repository):
        line = astuple(source.span) if source.span else None
        yield Listed(install.manager, ecosystem, name, version, install.conditional, index, place, source.path, line)


def _find(
    inside: str | None, path: str, stage: StageFacts, step: Step, facts: Facts, repository: Repository
) -> str | None:
    """The file of the repository that lies at a path of the image when the step runs."""
    for source in _sources(inside, path, stage, step, facts):
        for context in _contexts(facts.dockerfile.path):
            candidate = normpath(join(context, source.lstrip("/")))
            if not candidate.startswith("..") and repository.read(candidate) is not None:
                return candidate
    return None


def _sources(inside: str | None, path: str, stage: StageFacts, step: Step, facts: Facts) -> Iterator[str]:
    """What the file may be called in the build context: by the latest COPY that puts it there, or by a mount."""
    for flag in step.instruction.flags:
        options = dict(part.partition("=")[::2] for part in flag.value.split(","))
        target = options.get("target", options.get("dst", options.get("destination", "")))
        if flag.name == "mount" and "from" not in options and target and basename(target) == basename(path):
            yield options.get("source", options.get("src", target))
    copies = [
        copy
        for each in stage.lineage
        for moment in each.steps
        if moment.instruction.keyword in ("COPY", "ADD") and moment.instruction.span.line < step.instruction.span.line
        if (copy := copy_of(moment, facts)) is not None and copy.stage is None
    ]
    for copy in reversed(copies):
        source = _source(copy, inside, path)
        if source is not None:
            yield source


def _source(copy: Copy, inside: str | None, path: str) -> str | None:
    """What a COPY takes the file of, when it brings it."""
    name = basename(path)
    globs = [source for source in copy.sources if "*" in source and fnmatchcase(name, basename(source))]
    if inside is not None and copy.target is not None:
        if globs and dirname(normpath(inside)) == normpath(copy.target):
            return join(dirname(globs[-1]), name)
        return copy.source_of(normpath(inside))
    # where the base sets the directory both are relative to it
    if globs:
        return join(dirname(globs[-1]), name)
    names = [source for source in copy.sources if basename(source) == name]
    return names[-1] if names else path if copy.broad and not path.startswith("/") else None


def _contexts(path: str) -> Iterator[str]:
    """The directories that a Dockerfile may be built from: its own, and those above it."""
    while path and not path.startswith(("/", "..")):
        path = dirname(path)
        yield path


# Lists of packages

Entry = tuple[str, str, "str | None", Location]
_PIN = (
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:===?\s*([A-Za-z0-9.+!_-]+))?\s*(?:[;#\\ ].*|[<>=!~].*)?$"
)
_OTHER = r"\s*(?:-r|--requirement)[ =]\s*(\S+)"
_EXACT = r"=?v?(\d[\w.+-]*)\Z"


def read_list(path: str, repository: Repository, depth: int = 0) -> Iterator[Entry]:
    """(ecosystem, name, version, place) of the packages that a list names; none of a list that is not understood."""
    text = repository.read(path) or ""
    name = basename(path)
    if name.endswith((".txt", ".in", ".pip")):
        yield from _requirements(path, text, repository, depth)
    elif name in ("package.json", "package-lock.json", "npm-shrinkwrap.json"):
        yield from _node(path, text)
    elif name in ("uv.lock", "poetry.lock"):
        yield from _toml_lock(path, text)
    elif name == "Gemfile.lock":
        yield from _gems(path, text)


def _requirements(path: str, text: str, repository: Repository, depth: int) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), 1):
        other = re.match(_OTHER, line)
        if other and depth < _LISTS_DEEP:
            yield from read_list(normpath(join(dirname(path), other[1])), repository, depth + 1)
        match = re.match(_PIN, line)
        if match and not line.lstrip().startswith(("-", "#")):
            yield "pypi", _normalised(match[1]), match[2], _line(path, number, line)


def _normalised(name: str) -> str:
    from memlint.dockerfile.installs.python import normalised

    return normalised(name)


def _node(path: str, text: str) -> Iterator[Entry]:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return
    lines = text.split("\n")
    for name, version in _node_packages(document if isinstance(document, dict) else {}):
        number = next((at for at, line in enumerate(lines, 1) if f'"{name}"' in line), 1)
        yield "npm", name.removeprefix("node_modules/"), version, _line(path, number, lines[number - 1])


def _node_packages(document: dict[str, object]) -> Iterator[tuple[str, str | None]]:
    locked = document.get("packages")
    if isinstance(locked, dict):
        for name, entry in locked.items():
            if name.count("node_modules/") == 1 and isinstance(entry, dict) and not entry.get("dev"):
                version = entry.get("version")
                yield name, version if isinstance(version, str) else None
        return
    asked = document.get("dependencies")
    for name, version in (asked if isinstance(asked, dict) else {}).items():
        match = re.match(_EXACT, version) if isinstance(version, str) else None
        yield name, match[1] if match else None


def _toml_lock(path: str, text: str) -> Iterator[Entry]:
    import tomli

    try:
        packages = tomli.loads(text).get("package", [])
    except (tomli.TOMLDecodeError, RecursionError):
        return
    lines = text.split("\n")
    for package in packages if isinstance(packages, list) else []:
        name, version = (package.get("name"), package.get("version")) if isinstance(package, dict) else (None, None)
        if isinstance(name, str) and isinstance(version, str):
            number = next((at for at, line in enumerate(lines, 1) if line == f'name = "{name}"'), 1)
            yield "pypi", _normalised(name), version, _line(path, number, lines[number - 1])


def _gems(path: str, text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r"    ([a-z0-9_-]+) \(([^)~<>=, ]+)\)$", line)
        if match:
            yield "gem", match[1], match[2].partition("-")[0], _line(path, number, line)


def _line(path: str, number: int, text: str) -> Location:
    return Location(path, Span(number, 1, number, max(len(text.rstrip()), 1) + 1))
