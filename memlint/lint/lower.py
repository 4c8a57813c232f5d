"""What the layers below a RUN hold: who brought a file or the programs in a directory."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.image import copy_of
from memlint.lint.installing import SYSTEM_MANAGERS
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
from memlint.lint.runtimes import brings, holds_runtime, runtime_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.shell import Placed
    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.image import Copy
    from memlint.model.dockerfile import Instruction

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
_MANAGER = re.compile(r"(?:pip[\d.]*|npm|yarn|gem|sed|grep|awk|locale-gen|update-ca-certificates|update-locale)\Z")
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
        self._copies: list[Copy] = []
        self._made: dict[str, Instruction] = {}
        self._environments: dict[str, Instruction] = {}
        self._moved = False
        self._installed = False
        self._unknown = False

    def add(self, step: Step) -> None:
        """The layer of a step lies below all that follow."""
        copy = copy_of(step, self._facts)
        self._moved |= step.instruction.keyword == "WORKDIR"
        if copy is not None:
            self._copies.append(copy)
        if step.instruction.keyword == "RUN":
            self._installed |= any(install.manager in SYSTEM_MANAGERS for install in step.installs)
            self._unknown |= step.commands is None
            for number, placed in enumerate(step.commands or ()):
                self._ran(placed, self.directory(step, number), step.instruction)

    def _ran(self, placed: Placed, directory: str | None, instruction: Instruction) -> None:
        made = made_by(placed.command, directory)
        self._made |= dict.fromkeys(made, instruction)
        self._environments |= dict.fromkeys(environments_of(placed.command, directory), instruction)
        name = placed.command.name or ""
        self._unknown |= not made and name not in _HARMLESS and not _MANAGER.match(name)

    def directory(self, step: Step, number: int) -> str | None:
        """Where the command of that number runs: as it is known, or the one that the base set and no `cd` left."""
        commands = (step.commands or ())[: number + 1]
        if commands[-1].command.directory is not None or self._moved or step.directory is not None:
            return commands[-1].command.directory
        return None if any(placed.command.name in ("cd", "pushd", "popd") for placed in commands) else UNKNOWN

    def program(self, path: str, *, certain: bool = False) -> Origin | None:
        """Who brought the program or library at that path; None where it is none, or not known who.

        `certain`: it is a program whatever its name.
        """
        if path in self._made:
            return _made(self._made[path]) if certain or looks_binary(path) else None
        for copy in reversed(self._copies):
            if path in copy.paths:
                binary = certain or (copy.programs and (looks_binary(path) or is_library(path)))
                return _copied(copy) if binary else None
            if copy.may_hold(path):
                return None
        if self._scratch:
            return None
        if brings(self._runtime, path):
            return _BASE
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
        files = [path for path in self._made if path.rpartition("/")[0] == directory]
        files += [path for copy in self._copies for path in copy.paths if path.rpartition("/")[0] == directory]
        found = (
            self.program(path) for path in files if fnmatchcase(path, pattern) and not path.startswith(f"{directory}/.")
        )
        return next((origin for origin in found if origin), None)

    def programs(self, directory: str) -> Origin | None:
        """Who brought programs or libraries into a directory, for certain; of several the base."""
        if not self._scratch and (holds_system_programs(directory) or holds_runtime(self._runtime, directory)):
            return self._from_base()
        for copy in reversed(self._copies):
            if copy.programs and copy.target is not None and is_below(copy.target, directory):
                return _copied(copy)
        for path, instruction in self._made.items():
            if is_below(path, directory) and is_program(path):
                return _made(instruction)
        found = (each for path, each in self._environments.items() if is_below(path, directory))
        return next((_made(instruction) for instruction in found), None)

    def holds(self, directory: str) -> bool:
        """Whether a COPY or ADD put anything into a directory."""
        targets = [copy.target for copy in self._copies if copy.target]
        return any(is_below(target, directory) or is_below(directory, target) for target in targets)

    def _from_base(self) -> Origin:
        return Origin("the base or a package installed on it", None) if self._installed else _BASE

    def application(self, directory: str) -> Origin | None:
        """Who brought programs there, or what the build context holds."""
        found = self.programs(directory)
        if found is not None:
            return found
        for copy in reversed(self._copies):
            if copy.broad and copy.target is not None and is_below(copy.target, directory) and not is_data(directory):
                return _copied(copy)
        return None


def may_have_made(step: Step, number: int, path: str) -> bool:
    """Whether a command of the RUN before the one of that number may have put the program at a path."""
    commands = (step.commands or ())[:number]
    if any(placed.command.name not in _HARMLESS for placed in commands):
        return True
    before = {(placed.span.line, placed.span.column) for placed in commands}
    installs = [install for install in step.installs if (install.span.line, install.span.column) in before]
    if is_below(path, "/usr/local"):
        return any(install.manager not in SYSTEM_MANAGERS for install in installs)
    return not all(
        install.complete and all(package.name in _TOOLS for package in install.packages) for install in installs
    )


def _copied(copy: Copy) -> Origin:
    return Origin(f"{copy.instruction.keyword} in line {copy.instruction.span.line}", copy.instruction)


def _made(instruction: Instruction) -> Origin:
    return Origin(f"RUN in line {instruction.span.line}", instruction)
