"""conda, mamba and micromamba."""

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
    from memlint.dockerfile.installs.values import Operand
    from memlint.dockerfile.shell import Placed

_GRAMMAR = Grammar(
    "cfnpr",
    frozenset(
        (
            "--channel",
            "--file",
            "--name",
            "--prefix",
            "--root-prefix",
            "--platform",
            "--subdir",
            "--solver",
            "--experimental-solver",
            "--repodata-fn",
            "--revision",
            "--clone",
            "--log-level",
            "--rc-file",
            "--channel-priority",
            "--category",
            "--environment-specifier",
        )
    ),
)
_FILES = ("-f", "--file")
_NOT_DONE = ("--dry-run", "--download-only", "-d", "--clone")
_PACKAGE = r"(?s)(?:[A-Za-z0-9_./:-]+::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)\s*((?:[=<>!~\[ ]).*)?\Z"
_EXACT = r"(?:==([A-Za-z0-9_.!+]+)|=([A-Za-z0-9_.!+]+)=[A-Za-z0-9_.]+)\Z"
_BEFORE_VERSION = r"(?:[A-Za-z0-9_./:-]+::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)\s*[=<>!~]"
_BUILD = r".*\.(?:conda|tar\.bz2)\Z"


def read_conda(placed: Placed) -> Found | Removal | None:
    """`conda install`, `create`, `remove`, `env create`, `env update`."""
    arguments = arguments_of(placed.arguments, _GRAMMAR)
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    if arguments.has(_NOT_DONE):
        return None
    if subcommand in ("remove", "uninstall"):
        return removal("conda", rest, _PACKAGE)
    if subcommand == "env":
        return _environment(placed, arguments.without(1).subcommand(), rest.without(1).operands)
    if subcommand not in ("install", "create"):
        return None
    packages = [_package(operand) for operand in rest.operands]
    return Found(install("conda", placed, rest, packages, rest.values(_FILES)))


def _environment(placed: Placed, subcommand: str, operands: tuple[Operand, ...]) -> Found | None:
    if subcommand not in ("create", "update"):
        return None
    arguments = arguments_of(placed.arguments, _GRAMMAR).without(2)
    files = arguments.values(_FILES) or ["environment.yml"]
    return Found(install("conda", placed, arguments, [None for _ in operands], files))


def _package(operand: Operand) -> Package | None:
    if operand.text is None:
        return half_known("conda", operand, _BEFORE_VERSION)
    match = re.match(_PACKAGE, operand.text)
    if not match or re.match(_BUILD, operand.text):
        return None
    limits = (match[2] or "").strip()
    exact = re.match(_EXACT, limits)
    version = (exact[1] or exact[2]) if exact else None
    return Package("conda", match[1].lower(), version, None if exact else limits or None, operand.raw, operand.span)
