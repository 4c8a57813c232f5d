"""apt-get, apt, aptitude, and the `install_packages` of minideb."""

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
    "acot",
    frozenset(
        (
            "--target-release",
            "--default-release",
            "--option",
            "--config-file",
            "--host-architecture",
            "--build-profiles",
        )
    ),
)
_NOT_DONE = (
    "-s",
    "--simulate",
    "--just-print",
    "--dry-run",
    "--recon",
    "--no-act",
    "-d",
    "--download-only",
    "--print-uris",
)
_PACKAGE = r"([a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?)(?:(=)([A-Za-z0-9.+:~*-]+)|(/[a-z0-9./-]+))?\Z"
_BEFORE_VERSION = r"([a-z0-9][a-z0-9+.-]*(?::[a-z0-9-]+)?)([=/])"
_FILE = r".*\.deb\Z"


def arguments_in(placed: Placed) -> Arguments | None:
    """What the command is told; None where it changes nothing."""
    arguments = arguments_of(placed.arguments, _GRAMMAR)
    return None if arguments.has(_NOT_DONE) else arguments


def read_apt(placed: Placed) -> Found | Removal | None:
    """`apt-get install`, `remove`, `purge`."""
    arguments = arguments_in(placed)
    if arguments is None:
        return None
    subcommand = arguments.subcommand()
    if subcommand in ("remove", "purge", "autoremove", "autopurge"):
        rest = arguments.without(1)
        return removal("apt", rest, _PACKAGE) if rest.operands else None
    if subcommand not in ("install", "reinstall"):
        return None
    rest = arguments.without(1)
    return Found(install("apt", placed, rest, _packages(rest.operands)))


def read_install_packages(placed: Placed) -> Found:
    """Minideb's script takes nothing but packages."""
    arguments = arguments_of(placed.arguments, _GRAMMAR)
    return Found(install("apt", placed, arguments, _packages(arguments.operands)))


def read_apt_mark(placed: Placed) -> Removal | None:
    """`apt-mark auto`: what it names goes with the next autoremove; of `'.*'` other words may save some again."""
    arguments = arguments_of(placed.arguments, _GRAMMAR)
    return removal("apt", arguments.without(1), _PACKAGE) if arguments.subcommand() == "auto" else None


def _packages(operands: tuple[Operand, ...]) -> list[Package | None]:
    return [_package(operand) for operand in operands if not _removes(operand.text)]


def _removes(text: str | None) -> bool:
    """`name-` removes."""
    return text is not None and len(text) > 1 and text.endswith("-")


def _package(operand: Operand) -> Package | None:
    text = operand.text
    if text is None:
        return half_known("apt", operand, _BEFORE_VERSION)
    if text.endswith("+") and not text.endswith("++"):
        text = text[:-1]
    match = re.match(_PACKAGE, text)
    if not match or re.match(_FILE, text):
        return None
    exact = match[3] if match[3] and "*" not in match[3] else None
    constraint = None if exact else (match[2] or "") + (match[3] or "") + (match[4] or "")
    return Package("apt", match[1], exact, constraint or None, operand.raw, operand.span)
