"""Which packages an image installs that processes map files of, those included that lists in its build context name."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import islice
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
_LATEST = 100
"""COPYs above an install that its list is looked for in: more than anybody has."""


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
    lists = _Lists(facts, repository)
    for stage in stages:
        for step in stage.steps:
            for install in step.installs:
                found = [*_named(install)]
                for path in install.files:
                    found += lists.packages(path, install, stage, step)
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


class _Lists:
    """The lists of packages that installs name, where the files that they are copies of can be found."""

    def __init__(self, facts: Facts, repository: Repository) -> None:
        self._facts, self._repository = facts, repository
        self._copies: dict[int, list[Copy]] = {}

    def packages(self, path: str, install: Install, stage: StageFacts, step: Step) -> Iterator[Listed]:
        """The packages of a list."""
        inside = path if path.startswith("/") else None if install.directory is None else join(install.directory, path)
        found = self._find(inside, path, stage, step)
        if found is None:
            return
        index, place = _index(install), astuple(install.span)
        for ecosystem, name, version, source in read_list(found, self._repository):
            line = astuple(source.span) if source.span else None
            yield Listed(
                install.manager, ecosystem, name, version, install.conditional, index, place, source.path, line
            )

    def _find(self, inside: str | None, path: str, stage: StageFacts, step: Step) -> str | None:
        """The file of the repository that lies at a path of the image when the step runs."""
        copies = islice(self._above(stage, step), _LATEST)
        sources = (*_mounted(path, step), *(found for copy in copies if (found := _source(copy, inside, path))))
        for source in dict.fromkeys(sources):
            for context in _contexts(self._facts.dockerfile.path):
                candidate = normpath(join(context, source.lstrip("/")))
                if not candidate.startswith("..") and self._repository.read(candidate) is not None:
                    return candidate
        return None

    def _above(self, stage: StageFacts, step: Step) -> Iterator[Copy]:
        """What COPY and ADD took from the build context before a step of a stage, the latest first."""
        line = step.instruction.span.line
        each: StageFacts | None = stage
        while each is not None:
            yield from (copy for copy in reversed(self._in_stage(each)) if copy.instruction.span.line < line)
            each = each.parent

    def _in_stage(self, stage: StageFacts) -> list[Copy]:
        index = stage.stage.index
        if index not in self._copies:
            found = (copy_of(step, self._facts) for step in stage.steps)
            self._copies[index] = [copy for copy in found if copy is not None and copy.stage is None]
        return self._copies[index]


def _mounted(path: str, step: Step) -> Iterator[str]:
    """What a list may be called in the build context by the mounts of its RUN."""
    for flag in step.instruction.flags:
        options = dict(part.partition("=")[::2] for part in flag.value.split(","))
        target = options.get("target", options.get("dst", options.get("destination", "")))
        if flag.name == "mount" and "from" not in options and target and basename(target) == basename(path):
            yield options.get("source", options.get("src", target))


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
_STRING = r'"([^"\\]+)"'


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
    numbers = _first_lines(re.findall(_STRING, line) for line in lines)
    for name, version in _node_packages(document if isinstance(document, dict) else {}):
        number = numbers.get(name, 1)
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
    numbers = _first_lines((line,) for line in lines)
    for package in packages if isinstance(packages, list) else []:
        name, version = (package.get("name"), package.get("version")) if isinstance(package, dict) else (None, None)
        if isinstance(name, str) and isinstance(version, str):
            number = numbers.get(f'name = "{name}"', 1)
            yield "pypi", _normalised(name), version, _line(path, number, lines[number - 1])


def _gems(path: str, text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r"    ([a-z0-9_-]+) \(([^)~<>=, ]+)\)$", line)
        if match:
            yield "gem", match[1], match[2].partition("-")[0], _line(path, number, line)


def _first_lines(found: Iterable[Iterable[str]]) -> dict[str, int]:
    """The number of the first line that each of the texts is found in."""
    numbers: dict[str, int] = {}
    for number, texts in enumerate(found, 1):
        for text in texts:
            numbers.setdefault(text, number)
    return numbers


def _line(path: str, number: int, text: str) -> Location:
    return Location(path, Span(number, 1, number, max(len(text.rstrip()), 1) + 1))
