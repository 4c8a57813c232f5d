"""npm, yarn and pnpm."""

from __future__ import annotations

import posixpath
import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.installs.values import (
    Arguments,
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
    from collections.abc import Sequence

    from memlint.dockerfile.installs.values import Operand
    from memlint.dockerfile.shell import Placed

_LONG = frozenset(
    (
        "--arch",
        "--cache",
        "--cache-folder",
        "--cwd",
        "--dir",
        "--fetch-retries",
        "--fetch-retry-factor",
        "--fetch-retry-maxtimeout",
        "--fetch-retry-mintimeout",
        "--fetch-timeout",
        "--filter",
        "--filter-prod",
        "--global-dir",
        "--global-folder",
        "--globalconfig",
        "--https-proxy",
        "--include",
        "--install-strategy",
        "--link-folder",
        "--loglevel",
        "--maxsockets",
        "--modules-folder",
        "--modules-dir",
        "--mutex",
        "--network-concurrency",
        "--network-timeout",
        "--node-linker",
        "--omit",
        "--only",
        "--prefix",
        "--preferred-cache-folder",
        "--proxy",
        "--registry",
        "--reporter",
        "--save-prefix",
        "--store-dir",
        "--tag",
        "--target_arch",
        "--target_platform",
        "--use-yarnrc",
        "--userconfig",
        "--workspace",
        "--otp",
        "--scope",
        "--script-shell",
        "--virtual-store-dir",
    )
)
_GRAMMAR = Grammar("wCF", _LONG)
_DIRECTORY = ("--prefix", "-C", "--cwd", "--dir")
_GLOBAL = ("-g", "--global", "--location")
_NOT_DONE = ("--dry-run", "--package-lock-only", "--lockfile-only", "--mode")
_PACKAGE = r"((?:@[A-Za-z0-9_.~-]+/)?[A-Za-z0-9_~][A-Za-z0-9_.~-]*)(?:@([^@:/]+))?\Z"
_BEFORE_VERSION = r"((?:@[A-Za-z0-9_.~-]+/)?[A-Za-z0-9_~][A-Za-z0-9_.~-]*)@"
_EXACT = r"[v=]?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)\Z"
_REMOVES = ("uninstall", "remove", "rm", "r", "un", "unlink")
_LOCKS = {"npm": "package-lock.json", "yarn": "yarn.lock", "pnpm": "pnpm-lock.yaml"}
_INSTALLS = ("install", "i", "in", "ins", "inst", "add", "install-test", "it")
_CLEAN = ("ci", "clean-install", "ic", "install-clean", "install-ci-test", "cit")


def read_npm(placed: Placed) -> Found | Removal | None:
    """`npm install`, `npm ci`, `npm uninstall`."""
    arguments = _arguments(placed)
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    if subcommand in _CLEAN:
        return _project("npm", placed, rest, ("package.json", _LOCKS["npm"]))
    if subcommand in _INSTALLS:
        return _packages("npm", placed, rest, ("package.json",))
    return removal("npm", rest, _PACKAGE) if subcommand in _REMOVES else None


def read_yarn(placed: Placed) -> Found | Removal | None:
    """`yarn`, `yarn install`, `yarn add`, `yarn global add`, `yarn workspaces focus`."""
    arguments = _arguments(placed)
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    files = ("package.json", _LOCKS["yarn"])
    if not arguments.operands:
        return (
            None if arguments.has(("--version", "-v", "--help", "-h")) else _project("yarn", placed, arguments, files)
        )
    if subcommand == "install" or (subcommand == "workspaces" and rest.subcommand() == "focus"):
        return _project("yarn", placed, Arguments((), rest.options, rest.words, rest.certain), files)
    if subcommand == "global" and rest.subcommand() == "add":
        rest = rest.without(1)
        subcommand = "add"
    if subcommand == "add":
        return _packages("yarn", placed, rest, ())
    return removal("yarn", rest, _PACKAGE) if subcommand == "remove" else None


def read_pnpm(placed: Placed) -> Found | Removal | None:
    """`pnpm install`, `pnpm add`, `pnpm fetch`."""
    arguments = _arguments(placed)
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    if subcommand == "fetch":
        return _project("pnpm", placed, rest, (_LOCKS["pnpm"],))
    if subcommand in (*_INSTALLS, *_CLEAN):
        return _packages("pnpm", placed, rest, ("package.json", _LOCKS["pnpm"]))
    return removal("pnpm", rest, _PACKAGE) if subcommand in _REMOVES else None


def _arguments(placed: Placed) -> Arguments:
    """Without the `true` and `false` that may follow a flag."""
    words = [pair for pair in placed.arguments if pair[0].text not in ("true", "false")]
    return arguments_of(words, _GRAMMAR)


def _project(manager: str, placed: Placed, arguments: Arguments, names: Sequence[str]) -> Found | None:
    if arguments.has(_NOT_DONE):
        return None
    folder: str | None = ""
    if arguments.has(_DIRECTORY):
        folder = arguments.last(_DIRECTORY)
    files = [None if folder is None else posixpath.join(folder, name) for name in names]
    return Found(install(manager, placed, arguments, (), files))


def _packages(manager: str, placed: Placed, rest: Arguments, names: Sequence[str]) -> Found | None:
    if rest.has(_NOT_DONE):
        return None
    if not rest.operands and not rest.has(_GLOBAL) and names:
        return _project(manager, placed, rest, names)
    if not rest.operands:
        return None
    return Found(install(manager, placed, rest, [_package(manager, operand) for operand in rest.operands]))


def _package(manager: str, operand: Operand) -> Package | None:
    if operand.text is None:
        return half_known(manager, operand, _BEFORE_VERSION)
    match = re.match(_PACKAGE, operand.text)
    if not match or operand.text.endswith((".tgz", ".tar.gz")):
        return None
    exact = re.match(_EXACT, match[2] or "")
    return Package(
        manager, match[1], exact[1] if exact else None, None if exact else match[2], operand.raw, operand.span
    )
