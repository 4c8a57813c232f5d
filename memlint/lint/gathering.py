"""From the paths of a call to the Dockerfiles of its repository, those to report on, and what cannot be read."""

from __future__ import annotations

import os

import msgspec

from memlint.errors import DockerfileError
from memlint.lint.dockerfiles import Dockerfiles
from memlint.lint.globs import Globs
from memlint.lint.reading import read_bytes
from memlint.lint.repository import Repository
from memlint.model.lint import FileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from memlint.config import Config
    from memlint.dockerfile.discover import Found

_NAMED = 3
"""Submodules that a note names."""
STANDARD_INPUT = "-"


class Standard(msgspec.Struct, frozen=True):
    """What came by standard input, and the path of the file that it stands for; None is no file at all."""

    content: bytes
    filename: str | None = None


class Gathered(msgspec.Struct, frozen=True):
    """The Dockerfiles of a call.

    `targets` are those to report on, by path; `notes` what one should know.
    `standard` is the path of the one that came by standard input.
    """

    repository: Repository
    targets: tuple[str, ...]
    errors: tuple[FileError, ...]
    notes: tuple[str, ...]
    standard: str | None = None


class Root(msgspec.Struct, frozen=True):
    """The directory that paths are relative to; `is_repository` when what lies in it belongs together."""

    directory: str
    is_repository: bool


def gather(
    paths: Sequence[str], config: Config, root: Root, standard: Standard | None = None, *, whole: bool = True
) -> Gathered:
    """Read the Dockerfiles that `paths` name or hold; with `whole`, also the others of their repository.

    An excluded file is read when it is named, and so is one that git ignores.
    """
    return _Gathering(paths, config, root, standard).gather(whole)


def find_root(paths: Sequence[str], config: Config, standard: Standard | None = None) -> Root:
    """The git work tree around the first path (first of all around one below here), else where the configuration is.

    With neither there is no repository: files are compared with those of the call alone.
    """
    names = [standard.filename if standard and path == STANDARD_INPUT else path for path in paths]
    here = os.getcwd()
    places = [os.path.abspath(name) for name in names if name] or [here]
    first = next((place for place in places if os.path.commonpath((place, here)) == here), places[0])
    directory = first if os.path.isdir(first) else os.path.dirname(first)
    above = ""
    while directory != above:
        if os.path.exists(os.path.join(directory, ".git")):
            return Root(directory, True)
        above, directory = directory, os.path.dirname(directory)
    if config.file is not None and os.path.commonpath((config.directory, first)) == config.directory:
        return Root(config.directory, True)
    return Root(_common(places), False)


class _Gathering:
    def __init__(self, paths: Sequence[str], config: Config, root: Root, standard: Standard | None) -> None:
        self._paths = list(dict.fromkeys(paths)) or ["."]
        self._standard = standard
        self.root, self.is_repository = root.directory, root.is_repository
        self._excluded = Globs(config.exclude, config.directory, self.root, f"{config.place}exclude: ")
        self._dockerfiles = Dockerfiles(self.root, config.build_args)
        self._errors: list[FileError] = []
        self._notes: list[str] = []
        self._seen: set[str] = set()

    def gather(self, whole: bool) -> Gathered:
        named: list[str] = []
        standard: str | None = None
        for path in self._paths:
            if path == STANDARD_INPUT and self._standard is not None:
                standard = self._name(self._standard.filename or STANDARD_INPUT)
                self._first(standard)
                self._try(self._dockerfiles.keep, standard, self._standard.content)
            elif os.path.isdir(path):
                self._directory(path)
            else:
                named.append(self._name(path))
                self._read(named[-1])
        targets = tuple(sorted(self._dockerfiles.outlines))
        alone = self._standard is not None and self._standard.filename is None
        if whole and self.is_repository and not alone:
            self._others(named)
        errors = sorted(self._errors, key=lambda error: error.path)
        others = len(targets) < len(self._dockerfiles.outlines)
        repository = Repository(self._dockerfiles, frozenset(targets) if others else None)
        return Gathered(repository, targets, tuple(errors), tuple(self._notes), standard)

    def _directory(self, path: str) -> None:
        """The Dockerfiles below a directory; one in it that cannot be looked into may hold others."""
        prefix = self._name(path)
        found = self._find(path, prefix)
        for name, reason in found.unreadable.items():
            if all(name != each.path for each in self._errors):
                hint = "give permission, or leave it out with exclude"
                self._errors.append(FileError(name, None, f"cannot be looked into ({reason})", hint))
        if found.absent:
            names = ", ".join(found.absent[:_NAMED]) + (", …" if len(found.absent) > _NAMED else "")
            self._notes.append(
                f"submodules that are not checked out are not linted ({names}): git submodule update --init brings them"
            )
        for name in found.paths:
            if self._first(name):
                self._read(name)

    def _others(self, named: Iterable[str]) -> None:
        """The rest of the repository: read to compare with, and no reason to fail."""
        found = self._find(self.root, os.curdir)
        known = self._dockerfiles.outlines
        for path in found.paths:
            if path not in known and self._first(path):
                try:
                    self._dockerfiles.add(path, read_bytes(os.path.join(self.root, path)))
                except DockerfileError as error:
                    if all(path != each.path for each in self._errors):
                        where = path if error.line is None else f"{path}:{error.line}"
                        self._notes.append(f"{where}: {error.message}; nothing is compared with it")
        for path, reason in found.unreadable.items():
            if all(path != each.path for each in self._errors):
                self._notes.append(f"{path}: cannot be looked into ({reason}); nothing is compared with what it holds")
        ignored = self._ignored(named, frozenset(found.paths))
        self._notes += [f"{path}: git ignores it; linted, for it was named" for path in ignored]

    def _find(self, path: str, prefix: str) -> Found:
        """What is below a directory and is not excluded, by its name from the root on."""
        from memlint.dockerfile.discover import Found, find_dockerfiles

        found = find_dockerfiles(path)

        def named(name: str) -> str:
            return os.path.normpath(f"{prefix}/{name}").replace(os.sep, "/")

        return Found(
            tuple(name for each in found.paths if not self._excluded.match(name := named(each))),
            {name: why for each, why in found.unreadable.items() if not self._is_excluded(name := named(each))},
            tuple(name for each in found.absent if not self._is_excluded(name := named(each))),
        )

    def _is_excluded(self, directory: str) -> bool:
        """Whether all Dockerfiles in a directory are, should it hold any."""
        return self._excluded.match(f"{directory}/Dockerfile")

    def _read(self, name: str) -> None:
        try:
            content = read_bytes(os.path.join(self.root, name))
        except DockerfileError as error:
            self._errors.append(FileError(name, error.line, error.message, error.hint))
            return
        self._first(name)
        self._try(self._dockerfiles.add, name, content)

    def _try(self, add: Callable[[str, bytes], None], name: str, content: bytes) -> None:
        try:
            add(name, content)
        except DockerfileError as error:
            self._errors.append(FileError(name, error.line, error.message, error.hint))

    def _first(self, name: str) -> bool:
        """False for a file that was met already under another name."""
        real = os.path.realpath(os.path.join(self.root, name))
        if real in self._seen:
            return False
        self._seen.add(real)
        return True

    def _name(self, path: str) -> str:
        """Relative to the root, with slashes; a path outside of it stays absolute."""
        if path == STANDARD_INPUT:
            return path
        name = os.path.relpath(os.path.abspath(path), self.root)
        outside = name == os.pardir or name.startswith(os.pardir + os.sep)
        return (os.path.abspath(path) if outside else name).replace(os.sep, "/")

    def _ignored(self, named: Iterable[str], listed: Collection[str]) -> list[str]:
        """Those of the named files that git ignores; one that has another name than Dockerfiles have is asked, too."""
        known = self._dockerfiles.outlines
        asked = [path for path in named if path in known and path not in listed and not os.path.isabs(path)]
        if not asked:
            return []
        import subprocess  # few calls name such a file

        question = os.fsencode("".join(f"{path}\0" for path in asked))
        command = ("git", "check-ignore", "-z", "--stdin")
        try:
            answer = subprocess.run(command, cwd=self.root, input=question, capture_output=True, check=False).stdout
        except OSError:
            return []
        return os.fsdecode(answer).split("\0")[:-1]


def _common(places: Sequence[str]) -> str:
    """The current directory, when it holds all of them, else the one that does."""
    here = os.getcwd()
    directories = [place if os.path.isdir(place) else os.path.dirname(place) for place in places]
    return here if os.path.commonpath([here, *directories]) == here else os.path.commonpath(directories)
