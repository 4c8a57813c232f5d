"""The packages that a RUN installs, by the words of its commands: nothing is guessed, nothing is asked."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.installs.apk import read_apk
from memlint.dockerfile.installs.apt import read_apt, read_apt_mark, read_install_packages
from memlint.dockerfile.installs.conda import read_conda
from memlint.dockerfile.installs.gem import read_bundle, read_gem
from memlint.dockerfile.installs.node import read_npm, read_pnpm, read_yarn
from memlint.dockerfile.installs.python import PIP_NAME, PYTHON_NAME, read_pip, read_python, read_uv
from memlint.dockerfile.installs.rpm import read_rpm
from memlint.dockerfile.installs.values import Found, Install, Package, Removal
from memlint.dockerfile.shell import commands_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from memlint.dockerfile.shell import Placed
    from memlint.model.dockerfile import Instruction

__all__ = ["Install", "Package", "installs_in", "installs_of"]

_READERS: dict[str, Callable[[Placed], Found | Removal | None]] = {
    "apt-get": read_apt,
    "apt": read_apt,
    "aptitude": read_apt,
    "apt-mark": read_apt_mark,
    "install_packages": read_install_packages,
    "apk": read_apk,
    "dnf": read_rpm,
    "dnf5": read_rpm,
    "tdnf": read_rpm,
    "yum": read_rpm,
    "microdnf": read_rpm,
    "zypper": read_rpm,
    "uv": read_uv,
    "npm": read_npm,
    "yarn": read_yarn,
    "pnpm": read_pnpm,
    "gem": read_gem,
    "bundle": read_bundle,
    "conda": read_conda,
    "mamba": read_conda,
    "micromamba": read_conda,
}


def installs_of(
    instruction: Instruction, environment: Mapping[str, str | None], directory: str | None = "/"
) -> tuple[Install, ...]:
    """The installs of an instruction; () where nothing can be known."""
    return installs_in(commands_of(instruction, environment, directory) or ())


def installs_in(commands: Iterable[Placed]) -> tuple[Install, ...]:
    """The installs among the commands of one instruction, without what the same instruction removes again."""
    found: list[Found] = []
    for placed in commands:
        reader = _reader(placed.command.name)
        result = reader(placed) if reader else None
        if isinstance(result, Found):
            found.append(result)
        elif result is not None:
            found = [left for each in found if (left := _without(each, result))]
    return tuple(each.install for each in found)


def _reader(name: str | None) -> Callable[[Placed], Found | Removal | None] | None:
    if name is None:
        return None
    if PIP_NAME.match(name):
        return read_pip
    return read_python if PYTHON_NAME.match(name) else _READERS.get(name)


def _without(found: Found, removal: Removal) -> Found | None:
    """What is left of the install."""
    install = found.install
    if install.manager != removal.manager:
        return found
    if removal.names is None or found.group in removal.names:
        return None
    packages = tuple(package for package in install.packages if package.name not in removal.names)
    if len(packages) == len(install.packages):
        return found
    if not packages and not install.files and install.complete:
        return None
    return msgspec.structs.replace(found, install=msgspec.structs.replace(install, packages=packages))
