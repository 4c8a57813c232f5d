"""gem and bundler."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.installs.values import Found, Grammar, Package, Removal, arguments_of, install, removal

if TYPE_CHECKING:
    from memlint.dockerfile.installs.values import Operand
    from memlint.dockerfile.shell import Placed

_GEM = Grammar(
    "vinsPpB",
    frozenset(
        (
            "--version",
            "--install-dir",
            "--bindir",
            "--source",
            "--trust-policy",
            "--http-proxy",
            "--build-root",
            "--platform",
            "--bulk-threshold",
            "--config-file",
            "--target-rbconfig",
        )
    ),
    rest_is_foreign=True,
)
_BUNDLE = Grammar(
    "j",
    frozenset(
        (
            "--jobs",
            "--retry",
            "--path",
            "--without",
            "--with",
            "--gemfile",
            "--binstubs",
            "--shebang",
            "--target-rbconfig",
        )
    ),
)
_PACKAGE = r"([A-Za-z0-9][A-Za-z0-9_.-]*)(?::([0-9A-Za-z.]+))?\Z"
_EXACT = r"=?\s*(\d+(?:\.[0-9A-Za-z]+)+)\Z"


def read_gem(placed: Placed) -> Found | Removal | None:
    """`gem install`, `gem uninstall`."""
    arguments = arguments_of(placed.arguments, _GEM)
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    if subcommand == "uninstall":
        return removal("gem", rest, _PACKAGE)
    if subcommand not in ("install", "i"):
        return None
    named = arguments.values(("-v", "--version"))
    version = named[-1] if named else ""
    packages = [_package(operand, version) for operand in rest.operands]
    if version is None:
        packages.append(None)
    return Found(install("gem", placed, rest, packages))


def read_bundle(placed: Placed) -> Found | None:
    """`bundle`, `bundle install`."""
    arguments = arguments_of(placed.arguments, _BUNDLE)
    if arguments.subcommand() not in ("", "install") or arguments.has(("--version", "-v", "--help", "-h")):
        return None
    rest = arguments.without(1)
    named = arguments.values(("--gemfile",))
    gemfile = named[-1] if named else "Gemfile"
    files = [gemfile, None if gemfile is None else f"{gemfile}.lock"]
    return Found(install("gem", placed, rest, (), files))


def _package(operand: Operand, version: str | None) -> Package | None:
    match = re.match(_PACKAGE, operand.text or "")
    if not match or (operand.text or "").endswith(".gem"):
        return None
    wanted = match[2] or version or ""
    exact = re.match(_EXACT, wanted)
    return Package(
        "gem", match[1], exact[1] if exact else None, None if exact else wanted or None, operand.raw, operand.span
    )
