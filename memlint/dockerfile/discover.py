"""Where the Dockerfiles of a directory are."""

from __future__ import annotations

import os
import re
import stat

import msgspec

_NAME = re.compile(r"Dockerfile(?:\..+)?|Containerfile.*|(?i:(?:docker|container)file|.+\.dockerfile)", re.DOTALL)
"""In lower case a suffix is one of source code: dockerfile.py."""
_OTHERS = re.compile(
    r".+(?:~|\.(?:dockerignore|containerignore|j2|jinja2?|tmpl|tpl|template|erb|ejs|gotmpl|mustache|m4|in"
    r"|md|rst|bak|old|orig|rej|swp|patch|diff))",
    re.IGNORECASE | re.DOTALL,
)
"""Ignore files, templates that only become Dockerfiles, and what editors leave."""
_SKIPPED = frozenset(
    (
        ".git",
        ".hg",
        ".svn",
        ".jj",
        ".bzr",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "node_modules",
        "bower_components",
        "site-packages",
        "vendor",
        "__pycache__",
    )
)
_SECONDS = 60
_SUBMODULE = "160000"
"""The mode that git gives a commit of another repository, in the place of a directory."""
_CLOSED = re.compile(r"^warning: could not open directory '(.*?)': ([^\n]*)", re.MULTILINE | re.DOTALL)
"""How git says that it did not look everywhere: it is content with that."""


class Found(msgspec.Struct, frozen=True):
    """What lies below a directory, relative to it, with slashes, sorted.

    - `unreadable`: directories that could not be looked into, with the reason; "." is the directory itself.
    - `absent`: submodules that are not checked out.
    """

    paths: tuple[str, ...] = ()
    unreadable: dict[str, str] = {}
    absent: tuple[str, ...] = ()


def is_dockerfile_name(name: str) -> bool:
    """`Dockerfile`, `*.Dockerfile` and `Containerfile` in any case, `Dockerfile.*` and `Containerfile*` as written."""
    return bool(_NAME.fullmatch(name)) and not _OTHERS.fullmatch(name)


def find_dockerfiles(root: str) -> Found:
    """The Dockerfiles below `root`, and where there may be others.

    In a git work tree those that git tracks or does not ignore; elsewhere all but those of dependencies. Repositories
    in it, submodules too, are looked through as well, by their own ignores: a node runs what they build side by side.
    """
    search = _Search(root)
    search.look_into("")
    paths = tuple(sorted(path for path in search.paths if _may_be_file(os.path.join(root, path))))
    return Found(paths, dict(sorted(search.unreadable.items())), tuple(sorted(search.absent)))


class _Search:
    """Directories are relative to the root, with a slash at their end; the root itself is ""."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.paths: set[str] = set()
        self.unreadable: dict[str, str] = {}
        self.absent: set[str] = set()

    def look_into(self, directory: str) -> None:
        """Take down what lies below a directory, as git knows it, or as it is."""
        place = os.path.join(self._root, directory)
        listed = _listed(place)
        if listed is None:
            self._walk(place)
            return
        entries, said = listed
        for line in _CLOSED.finditer(said):
            self._close(_meant(line[1], place), line[2])
        for path, is_repository in filter(None, map(_entry, entries)):
            if is_repository:
                self._look_into_repository(f"{directory}{path.rstrip('/')}/")
            else:
                self._take(directory + path)

    def _look_into_repository(self, directory: str) -> None:
        """One that lies in another, which knows of no more than its directory."""
        place = os.path.join(self._root, directory)
        try:
            if os.path.islink(place.rstrip("/")):
                return
            if os.path.lexists(place + ".git"):
                self.look_into(directory)
            elif not os.path.isdir(place) or not os.listdir(place):
                self.absent.add(self._name(place))
            elif self._name(place) != os.curdir:
                self._walk(place)
        except OSError as error:
            self._close(place, error.strerror)

    def _walk(self, place: str) -> None:
        for at, directories, files in os.walk(place, onerror=self._fail):
            below = self._name(at)
            prefix = "" if below == os.curdir else f"{below}/"
            if ".git" in (*directories, *files) and at != place:
                directories.clear()
                self.look_into(prefix)
                continue
            directories[:] = [name for name in directories if name not in _SKIPPED]
            for name in files:
                self._take(prefix + name)

    def _take(self, path: str) -> None:
        if is_dockerfile_name(path.rpartition("/")[2]):
            self.paths.add(path)

    def _fail(self, error: OSError) -> None:
        self._close(error.filename, error.strerror)

    def _close(self, place: str, reason: str | None) -> None:
        self.unreadable[self._name(place)] = reason or "no reason is known"

    def _name(self, place: str) -> str:
        return os.path.relpath(place, self._root).replace(os.sep, "/")


def _listed(place: str) -> tuple[list[str], str] | None:
    """What git knows below the directory, and what it says; None without git.

    Nothing that the repository configures is run.
    """
    import subprocess  # a call about one file alone does without

    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"]
    command += ["ls-files", "-z", "-t", "--stage", "--cached", "--others", "--exclude-standard"]
    try:
        result = subprocess.run(
            command,
            cwd=place,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(result.stdout).split("\0"), os.fsdecode(result.stderr)


def _entry(line: str) -> tuple[str, bool] | None:
    """A path that git lists (`H 100644 … 0<tab>PATH`, `? PATH`), and whether it is a repository of its own."""
    kind, _, rest = line.partition(" ")
    if kind == "?":
        return rest, rest.endswith("/")
    about, _, path = rest.partition("\t")
    return (path, about.startswith(_SUBMODULE)) if path else None


def _meant(name: str, place: str) -> str:
    """The directory that git names, run in `place`: as seen from the top of the work tree."""
    above, top = "", os.path.realpath(place)
    while top != above and not os.path.lexists(os.path.join(top, ".git")):
        above, top = top, os.path.dirname(top)
    below = os.path.relpath(os.path.join(top, name), os.path.realpath(place))
    found = os.path.normpath(os.path.join(place, below))
    return found if os.path.isdir(found) else place


def _may_be_file(place: str) -> bool:
    """False for what surely is none; what cannot be looked at is told of when it is read."""
    try:
        return stat.S_ISREG(os.stat(place).st_mode)
    except PermissionError:
        return True
    except OSError:
        return False
