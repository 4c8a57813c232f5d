"""dnf, yum, microdnf, tdnf and zypper."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.installs.values import (
    Found,
    Grammar,
    Package,
    Removal,
    arguments_of,
    half_known,
    install,
    removal,
)

if TYPE_CHECKING:
    from memlint.dockerfile.installs.values import Arguments, Operand
    from memlint.dockerfile.shell import Placed

_GRAMMAR = Grammar(
    "cdeRx",
    frozenset(
        (
            "--config",
            "--debuglevel",
            "--errorlevel",
            "--enablerepo",
            "--disablerepo",
            "--enable-repo",
            "--disable-repo",
            "--repo",
            "--repoid",
            "--exclude",
            "--excludepkgs",
            "--installroot",
            "--releasever",
            "--setopt",
            "--forcearch",
            "--arch",
            "--randomwait",
            "--rpmverbosity",
            "--comment",
            "--advisory",
            "--from-repo",
            "--downloaddir",
            "--destdir",
            "--disableplugin",
            "--enableplugin",
        )
    ),
)
_ZYPPER = Grammar(
    "CDRcdoprt",
    frozenset(
        (
            "--type",
            "--repo",
            "--from",
            "--root",
            "--installroot",
            "--config",
            "--reposd-dir",
            "--cache-dir",
            "--raw-cache-dir",
            "--solv-cache-dir",
            "--pkg-cache-dir",
            "--plus-repo",
            "--plus-content",
            "--download",
            "--gpg-auto-import-keys-from",
            "--releasever",
        )
    ),
)
_NOT_DONE = ("--downloadonly", "--download-only", "--assumeno", "--dry-run", "--test")
_MANAGERS = {"dnf5": "dnf", "tdnf": "dnf"}
_NAME = r"([A-Za-z0-9_][A-Za-z0-9_.+-]*?|@[A-Za-z0-9_.: /-]+)(?:\.(?:x86_64|aarch64|noarch|ppc64le|s390x))?\Z"
_FULL = (
    r"(.+?)-((?:\d+:)?\d[A-Za-z0-9_.+~^]*-\d[A-Za-z0-9_.+~^]*\.(?:el|fc|amzn|cm|azl|ph|module|oe)[A-Za-z0-9_.+~^]*?"
    r"|\d+:\d[A-Za-z0-9_.+~^]*(?:-\d[A-Za-z0-9_.+~^]*?)?)(?:\.(?:x86_64|aarch64|noarch|ppc64le|s390x)|(\.i686))?\Z"
)
_RELATION = r"([A-Za-z0-9_][A-Za-z0-9_.+-]*)\s*(<=|>=|=|<|>)\s*([A-Za-z0-9_.+~^:-]+)\Z"
_BEFORE_VERSION = r"([A-Za-z0-9_][A-Za-z0-9_.+-]*)="
_INSTALLS = ("install", "in", "localinstall", "reinstall", "install-n", "install-na", "install-nevra")


def arguments_in(placed: Placed) -> Arguments | None:
    """What the command is told; None where it changes nothing."""
    arguments = arguments_of(placed.arguments, _ZYPPER if placed.command.name == "zypper" else _GRAMMAR)
    return None if arguments.has(_NOT_DONE) else arguments


def read_rpm(placed: Placed) -> Found | Removal | None:
    """dnf and its kin: `install`, `remove`, groups and modules."""
    arguments = arguments_in(placed)
    if arguments is None:
        return None
    name = placed.command.name or ""
    manager = _MANAGERS.get(name, name)
    subcommand, rest = arguments.subcommand(), arguments.without(1)
    if subcommand in ("remove", "erase", "rm", "autoremove", "groupremove"):
        return removal(manager, rest, _NAME) if rest.operands else None
    if subcommand in ("group", "groups", "module", "groupinstall"):
        return _groups(manager, placed, subcommand, rest)
    if subcommand not in _INSTALLS:
        return None
    return Found(install(manager, placed, rest, [_package(manager, operand) for operand in rest.operands]))


def _groups(manager: str, placed: Placed, subcommand: str, rest: Arguments) -> Found | None:
    """A group or a module has the name that `install @name` gives it."""
    if subcommand != "groupinstall":
        if rest.subcommand() != "install":
            return None
        rest = rest.without(1)
    packages = [
        None if each.text is None else Package(manager, f"@{each.text.lstrip('@')}", None, None, each.raw, each.span)
        for each in rest.operands
    ]
    return Found(install(manager, placed, rest, packages))


def _package(manager: str, operand: Operand) -> Package | None:
    text = operand.text
    if text is None:
        return half_known(manager, operand, _BEFORE_VERSION) if manager == "zypper" else None
    if text.endswith(".rpm") or text.startswith("-"):
        return None
    if match := re.match(_RELATION, text):
        exact = match[3] if match[2] == "=" else None
        return Package(manager, match[1], exact, None if exact else match[2] + match[3], operand.raw, operand.span)
    if match := re.match(_FULL, text):
        return Package(manager, match[1] + (match[3] or ""), match[2], None, operand.raw, operand.span)
    match = re.match(_NAME, text)
    return Package(manager, match[1], None, None, operand.raw, operand.span) if match else None
