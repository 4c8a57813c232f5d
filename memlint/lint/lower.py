"""What the layers below a RUN hold: who brought a file or the programs in a directory."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.deposits import Deposits
from memlint.lint.image import copy_of
from memlint.lint.natives import mapped_in
from memlint.lint.paths import (
    holds_system_programs,
    is_below,
    is_data,
    is_library,
    is_program,
    is_system_file,
    looks_binary,
)
from memlint.lint.rewrites import environments_of, made_by
from memlint.lint.runtimes import brings, brings_matching, holds_runtime, runtime_of
from memlint.lint.sites import site_of
from memlint.model.ecosystems import DISTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.image import Copy
    from memlint.model.dockerfile import Instruction, Span

UNKNOWN = "/?"
"""Stands for the working directory that the base sets, until the first WORKDIR."""
_HARMLESS = frozenset(
    (
        *(":", "[", "[[", "addgroup", "adduser", "apk", "apt", "apt-cache", "apt-get", "cat", "cd", "chgrp", "chmod"),
        *("chown", "chpasswd", "date", "dnf", "echo", "exit", "export", "find", "getcap", "getent", "groupadd"),
        *("groupmod", "hash", "id", "ldconfig", "ls", "microdnf", "mkdir", "passwd", "printf", "pwd", "rm", "rmdir"),
        *("set", "setcap", "sleep", "stat", "sync", "test", "touch", "true", "umask", "unset", "useradd", "usermod"),
        *("which", "yum", "zypper"),
    )
)
"""Commands that put no program in its place; installs are looked at themselves."""
_MANAGERS = frozenset(
    ("awk", "gem", "grep", "locale-gen", "npm", "pip", "pip3", "sed", "update-ca-certificates", "update-locale", "yarn")
)
"""More of them: what these put below /usr/local, or change, is no program of the distribution."""
_TOOLS = frozenset(
    (
        *("acl", "attr", "bash", "binutils", "ca-certificates", "coreutils", "curl", "findutils", "gnupg", "libcap"),
        *("libcap-ng-utils", "libcap-setcap", "libcap-utils", "libcap2-bin", "patchelf", "shadow", "sudo", "tzdata"),
        *("wget", "tini", "dumb-init"),
    )
)
"""Packages that are installed to do such work, and hold none of what it is done to."""


class Origin(msgspec.Struct, frozen=True):
    """Who brought it: the base (`instruction` is None), or an instruction of this Dockerfile."""

    name: str
    instruction: Instruction | None


_BASE = Origin("the base", None)
_LOWER = Origin("a lower layer", None)


class Lower:
    """The layers up to an instruction of the image, the base among them."""

    def __init__(self, stages: Sequence[StageFacts], facts: Facts) -> None:
        self._facts = facts
        base = stages[0].base
        self._runtime = runtime_of(base)
        self._scratch = base is not None and base.family == "scratch"
        self._distribution = base is not None and base.family is not None
        self._deposits = Deposits()
        self._moved = False
        self._installed = False
        self._environments = False
        self._unknown = False

    def add(self, step: Step) -> None:
        """The layer of a step lies below all that follow."""
        copy = copy_of(step, self._facts)
        self._moved |= step.instruction.keyword == "WORKDIR"
        if copy is not None:
            self._deposits.copied(copy)
        if step.instruction.keyword == "RUN":
            self._installed |= any(install.ecosystem in DISTRIBUTION for install in step.installs)
            self._unknown |= step.commands is None
            installs = _by_place(step.installs)
            for placed, directory in self.placed(step):
                self._ran(placed, directory, step.instruction)
                for install in installs.get(_place(placed.span), ()):
                    self._packaged(install, placed, step.instruction)

    def _ran(self, placed: Placed, directory: str | None, instruction: Instruction) -> None:
        made = made_by(placed.command, directory)
        for path in made:
            self._deposits.made(path, instruction)
        for path in environments_of(placed.command, directory):
            self._environments = True
            self._deposits.environment(path, instruction)
        name = placed.command.name or ""
        self._unknown |= not made and name not in _HARMLESS and name not in _MANAGERS

    def _packaged(self, install: Install, placed: Placed, instruction: Instruction) -> None:
        """Takes down where native modules went; with an environment of Python there is more than one place for them."""
        if install.conditional or (self._environments and install.ecosystem == "pypi"):
            return
        site = site_of(install, placed.command, self._runtime) if mapped_in((install,)) else None
        if site is not None:
            self._deposits.packages(site, instruction)

    def placed(self, step: Step) -> Iterator[tuple[Placed, str | None]]:
        """The commands of a step, and where each runs: as it is known, or where the base set it and no `cd` left it."""
        moved = self._moved or step.directory is not None
        for placed in step.commands or ():
            moved |= placed.command.name in ("cd", "pushd", "popd")
            directory = placed.command.directory
            yield placed, UNKNOWN if directory is None and not moved else directory

    def program(self, path: str, *, certain: bool = False) -> Origin | None:
        """Who brought the program or library at that path; None where it is none, or not known who.

        `certain`: it is a program whatever its name.
        """
        made = self._deposits.maker(path)
        if made is not None:
            return _made(made) if certain or looks_binary(path) else None
        held = self._deposits.holder(path)
        if held is not None:
            copy, named = held
            binary = certain or (copy.programs and (looks_binary(path) or is_library(path)))
            return _copied(copy) if named and binary else None
        if is_library(path) and (package := self._deposits.package(path)) is not None:
            return _made(package)
        return None if self._scratch else self._of_base(path, certain=certain)

    def _of_base(self, path: str, *, certain: bool) -> Origin | None:
        if brings(self._runtime, path):
            return _LOWER if self._unknown and is_library(path) else _BASE
        if is_system_file(path) and certain:
            return _LOWER if self._unknown else self._from_base()
        if is_system_file(path) and is_program(path) and self._distribution and not self._unknown:
            return self._from_base()
        return None

    def matching(self, pattern: str) -> Origin | None:
        """Who brought programs or libraries that a pattern in the last part of a path finds."""
        directory, _, name = pattern.rpartition("/")
        if not self._scratch and (name == "*" or ".so" in name) and holds_system_programs(directory or "/"):
            return self._from_base()
        if ".so" in name and (package := self._deposits.package(directory)) is not None:
            return _made(package)
        if not self._scratch and brings_matching(self._runtime, pattern):
            return _BASE
        files = self._deposits.matching(pattern)
        found = (self.program(path) for path in files if not path.startswith(f"{directory}/."))
        return next((origin for origin in found if origin), None)

    def programs(self, directory: str) -> Origin | None:
        """Who brought programs or libraries into a directory, for certain; of several the base.

        But for packages with native modules: whoever installed some rather than the runtime that they are for.
        """
        if not self._scratch and holds_system_programs(directory):
            return self._from_base()
        package = self._deposits.installer(directory)
        if package is not None:
            return _made(package)
        if not self._scratch and holds_runtime(self._runtime, directory):
            return self._from_base()
        copy = self._deposits.copier(directory)
        if copy is not None:
            return _copied(copy)
        built = self._deposits.builder(directory)
        return None if built is None else _made(built)

    def holds(self, directory: str) -> bool:
        """Whether a COPY or ADD put anything into a directory."""
        return self._deposits.is_filled(directory)

    def _from_base(self) -> Origin:
        return Origin("the base or a package installed on it", None) if self._installed else _BASE

    def application(self, directory: str) -> Origin | None:
        """Who brought programs there, or what the build context holds."""
        found = self.programs(directory)
        if found is not None:
            return found
        copy = None if is_data(directory) else self._deposits.context(directory)
        return None if copy is None else _copied(copy)


class Earlier:
    """What the commands of a RUN, up to one of them, may have put in place of what the layers below hold."""

    def __init__(self, step: Step) -> None:
        self._installs = _by_place(step.installs)
        self._anything = False
        self._local = False
        self._system = False

    def add(self, placed: Placed) -> None:
        """This command ran."""
        self._anything |= placed.command.name not in _HARMLESS
        for install in self._installs.get(_place(placed.span), ()) if self._installs else ():
            self._local |= install.ecosystem not in DISTRIBUTION
            self._system |= not install.complete or any(package.name not in _TOOLS for package in install.packages)

    def may_have_made(self, path: str) -> bool:
        """Whether the program at a path may come from there."""
        return self._anything or (self._local if is_below(path, "/usr/local") else self._system)


def _by_place(installs: Iterable[Install]) -> dict[tuple[int, int], list[Install]]:
    found: dict[tuple[int, int], list[Install]] = {}
    for install in installs:
        found.setdefault(_place(install.span), []).append(install)
    return found


def _place(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _copied(copy: Copy) -> Origin:
    return Origin(f"{copy.instruction.keyword} in line {copy.instruction.span.line}", copy.instruction)


def _made(instruction: Instruction) -> Origin:
    return Origin(f"RUN in line {instruction.span.line}", instruction)
