"""Installs that bring programs and libraries into an image, and how to speak of them."""

from __future__ import annotations

import re
from posixpath import basename, dirname

from memlint import TYPE_CHECKING
from memlint.lint.image import copy_of, named_stage
from memlint.model.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Facts, Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile

READ_BY_MANAGERS = (
    *(
        f"/etc/{name}"
        for name in ("apt", "apk", "dpkg", "yum", "dnf", "rpm", "pki", "zypp", "ssl", "passwd", "group", "pip.conf")
    ),
    *("/usr/share/keyrings", "/usr/local/share/ca-certificates"),
)
"""Where sources of packages, keys and users are configured: what their paths begin with."""
_OWN_PROJECT = r"(?m)^[ \t]*(?:-e\b|--editable\b|\.{1,2}(?:/|\[|[ \t\r]*$)|/)"
"""A line of a requirements file that installs something from the build context."""
_TOOLS = frozenset(("pip", "setuptools", "wheel"))
"""What installs packages: text alone, nothing of it is mapped."""
_OF_PROJECTS = frozenset(("Gemfile", "Gemfile.lock", "package.json", "pyproject.toml"))
"""Files that describe a project, beside those that list what it needs."""


class Installed:
    """What steps have installed, by the names of packages and of the lists that they read."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._packages: set[tuple[str, str]] = set()
        self._files: set[tuple[str, str]] = set()
        self._copied: set[int] = set()

    def add(self, steps: Iterable[Step]) -> None:
        """The steps that follow."""
        for step in steps:
            self._add(step.installs)
            copy = copy_of(step, self._facts)
            stage = named_stage(copy.stage, self._facts) if copy is not None and copy.stage else None
            for each in stage.above(lambda found: found.stage.index in self._copied) if stage else ():
                self._copied.add(each.stage.index)
                for other in each.steps:  # what a COPY takes of a stage came with its installs
                    self._add(other.installs)

    def has(self, install: Install) -> bool:
        """Whether a former install brought all that it names, so that it adds the project of the context at most.

        Tools that fetch what a lock file says need the project's description for the rest alone.
        """
        files = [basename(file) for file in install.files if (install.manager, basename(file)) not in self._files]
        if any((install.manager, package.raw) not in self._packages for package in install.packages):
            return False
        return not files or (len(files) < len(install.files) and _OF_PROJECTS.issuperset(files))

    def _add(self, installs: Iterable[Install]) -> None:
        for each in installs:
            self._packages.update((each.manager, package.raw) for package in each.packages)
            self._files.update((each.manager, basename(file)) for file in each.files)


def library_installs(
    step: Step, managers: Collection[str], dockerfile: Dockerfile, repository: Repository
) -> tuple[Install, ...]:
    """The installs of a RUN that always happen and need nothing of the build context but their lists of packages."""
    return tuple(
        install
        for install in step.installs
        if install.manager in managers and _stands_alone(install, dockerfile, repository)
    )


def summary(install: Install) -> str:
    """`apt: libpq5, python3 and 4 more`."""
    names = [package.name for package in install.packages] or [basename(file) for file in install.files]
    return f"the install of {enumerated(list(dict.fromkeys(names)))} ({install.manager})"


def context_file(path: str, dockerfile: Dockerfile, repository: Repository) -> str | None:
    """A file of the build context, which is the Dockerfile's directory or the repository's root."""
    below = path.lstrip("/").removeprefix("./")
    directory = dirname(dockerfile.path)
    content = repository.read(f"{directory}/{below}" if directory else below)
    return repository.read(below) if content is None and directory else content


def _stands_alone(install: Install, dockerfile: Dockerfile, repository: Repository) -> bool:
    if install.conditional or not (install.packages or install.files):
        return False
    if not install.complete or (not install.files and _TOOLS.issuperset(package.name for package in install.packages)):
        return False
    contents = (context_file(basename(file), dockerfile, repository) for file in install.files)
    return not any(content and re.search(_OWN_PROJECT, content) for content in contents)
