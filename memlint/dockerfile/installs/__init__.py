"""The packages that a RUN installs, by the words of its commands: nothing is guessed, nothing is asked.

A manager's file is imported when a command of it is met: most Dockerfiles use one or two.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.installs.values import Found, Install, Package, Removal
from memlint.dockerfile.shell import commands_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any

    from memlint.dockerfile.installs.values import Arguments
    from memlint.dockerfile.shell import Placed
    from memlint.model.dockerfile import Instruction

    Reader = Callable[[Placed], Found | Removal | None]

__all__ = ["Install", "Package", "arguments_in", "installs_in", "installs_of"]

_READERS = {
    "apt-get": ("apt", "read_apt"),
    "apt": ("apt", "read_apt"),
    "aptitude": ("apt", "read_apt"),
    "apt-mark": ("apt", "read_apt_mark"),
    "install_packages": ("apt", "read_install_packages"),
    "apk": ("apk", "read_apk"),
    "dnf": ("rpm", "read_rpm"),
    "dnf5": ("rpm", "read_rpm"),
    "tdnf": ("rpm", "read_rpm"),
    "yum": ("rpm", "read_rpm"),
    "microdnf": ("rpm", "read_rpm"),
    "zypper": ("rpm", "read_rpm"),
    "pip": ("python", "read_pip"),
    "python": ("python", "read_python"),
    "pypy": ("python", "read_python"),
    "uv": ("python", "read_uv"),
    "npm": ("node", "read_npm"),
    "yarn": ("node", "read_yarn"),
    "pnpm": ("node", "read_pnpm"),
    "gem": ("gem", "read_gem"),
    "bundle": ("gem", "read_bundle"),
    "conda": ("conda", "read_conda"),
    "mamba": ("conda", "read_conda"),
    "micromamba": ("conda", "read_conda"),
}
"""For each program the file and the function that read it."""
_SYSTEM = ("apt", "apk", "rpm")
"""Those of distributions."""
_ANYTHING = "*"
"""Stands for all that a manager installed; no package is called so."""
_WITH_VERSION = re.compile(r"(pip|python|pypy)\d+(?:\.\d+)?\Z")


def installs_of(
    instruction: Instruction, environment: Mapping[str, str | None], directory: str | None = "/"
) -> tuple[Install, ...]:
    """The installs of an instruction; () where nothing can be known."""
    return installs_in(commands_of(instruction, environment, directory) or ())


def installs_in(commands: Iterable[Placed]) -> tuple[Install, ...]:
    """The installs among the commands of one instruction, without what the same instruction removes again."""
    found = _Kept()
    for placed in commands:
        reader = _reader(placed.command.name)
        result = reader(placed) if reader else None
        if isinstance(result, Found):
            found.add(result)
        elif result is not None:
            found.remove(result)
    return found.installs()


class _Kept:
    """Installs in their order, which of them brings what, and what of it was removed since."""

    def __init__(self) -> None:
        self._found: list[tuple[Found, set[str]]] = []
        self._bringing: dict[tuple[str, str], list[set[str]]] = {}

    def add(self, found: Found) -> None:
        removed: set[str] = set()
        self._found.append((found, removed))
        install = found.install
        for name in (_ANYTHING, found.group, *(package.name for package in install.packages)):
            if name is not None:
                self._bringing.setdefault((install.manager, name), []).append(removed)

    def remove(self, removal: Removal) -> None:
        for name in (_ANYTHING,) if removal.names is None else removal.names:
            for removed in self._bringing.pop((removal.manager, name), ()):
                removed.add(name)

    def installs(self) -> tuple[Install, ...]:
        left = (_without(found, removed) if removed else found.install for found, removed in self._found)
        return tuple(install for install in left if install is not None)


def arguments_in(placed: Placed) -> Arguments | None:
    """What a package manager of a distribution is told; None of another command, and of one that changes nothing."""
    module, _ = _READERS.get(placed.command.name or "", ("", ""))
    arguments: Arguments | None = _loaded(module, "arguments_in")(placed) if module in _SYSTEM else None
    return arguments


def _reader(name: str | None) -> Reader | None:
    if name is None:
        return None
    if match := _WITH_VERSION.match(name):
        name = match[1]
    return _loaded(*_READERS[name]) if name in _READERS else None


@cache
def _loaded(module: str, function: str) -> Any:
    return getattr(import_module(f"memlint.dockerfile.installs.{module}"), function)


def _without(found: Found, removed: Collection[str]) -> Install | None:
    """What is left of the install."""
    install = found.install
    if _ANYTHING in removed or found.group in removed:
        return None
    packages = tuple(package for package in install.packages if package.name not in removed)
    if not packages and not install.files and install.complete:
        return None
    return msgspec.structs.replace(install, packages=packages)
