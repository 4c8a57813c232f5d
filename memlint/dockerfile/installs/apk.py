"""apk, with the virtual packages by which what a build needs is removed again."""

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
    "tXp",
    frozenset(
        (
            "--virtual",
            "--repository",
            "--root",
            "--arch",
            "--keys-dir",
            "--cache-dir",
            "--cache-max-age",
            "--repositories-file",
            "--wait",
            "--timeout",
            "--progress-fd",
        )
    ),
)
_NOT_DONE = ("-s", "--simulate")
_PACKAGE = (
    r"([A-Za-z0-9_][A-Za-z0-9_.+-]*|(?:so|cmd|pc):[^=~<>@]+)"
    r"(?:@([A-Za-z0-9_.-]+))?(?:(==?|~=?|[<>]=?)([A-Za-z0-9_.-]+))?\Z"
)
_BEFORE_VERSION = r"([A-Za-z0-9_][A-Za-z0-9_.+-]*)[=~<>@]"
_REMOVED = r"(\.?[A-Za-z0-9_][A-Za-z0-9_.+-]*)\Z"


def arguments_in(placed: Placed) -> Arguments | None:
    """What the command is told; None where it changes nothing."""
    arguments = arguments_of(placed.arguments, _GRAMMAR)
    return None if arguments.has(_NOT_DONE) else arguments


def read_apk(placed: Placed) -> Found | Removal | None:
    """`apk add`, `apk del`."""
    arguments = arguments_in(placed)
    if arguments is None:
        return None
    subcommand, rest = arguments.subcommand(), arguments.without(1)
    if subcommand == "del":
        return removal("apk", rest, _REMOVED)
    if subcommand != "add":
        return None
    packages = [_package(operand) for operand in rest.operands if (operand.text or "")[:1] != "!"]
    return Found(install("apk", placed, rest, packages), arguments.last(("-t", "--virtual")))


def _package(operand: Operand) -> Package | None:
    if operand.text is None:
        return half_known("apk", operand, _BEFORE_VERSION)
    match = re.match(_PACKAGE, operand.text)
    if not match:
        return None
    exact = match[4] if match[3] in ("=", "==") else None
    tagged = f"@{match[2]}" if match[2] else ""
    constraint = tagged if exact else tagged + (match[3] or "") + (match[4] or "")
    return Package("apk", match[1], exact, constraint or None, operand.raw, operand.span)
