"""pip and uv."""

from __future__ import annotations

import posixpath
import re

import msgspec

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
    from memlint.dockerfile.installs.values import Arguments, Install, Operand
    from memlint.dockerfile.shell import Placed

_PIP = Grammar(
    "rceitfCp",
    frozenset(
        (
            "--abi",
            "--allow-insecure-host",
            "--annotation-style",
            "--build",
            "--build-constraint",
            "--build-constraints",
            "--cache-dir",
            "--cert",
            "--client-cert",
            "--config-file",
            "--config-setting",
            "--config-settings",
            "--constraint",
            "--constraints",
            "--default-index",
            "--directory",
            "--editable",
            "--excludes",
            "--exclude-newer",
            "--exists-action",
            "--extra",
            "--extra-index-url",
            "--find-links",
            "--fork-strategy",
            "--global-option",
            "--group",
            "--implementation",
            "--index",
            "--index-strategy",
            "--index-url",
            "--install-option",
            "--keyring-provider",
            "--link-mode",
            "--log",
            "--log-file",
            "--no-binary",
            "--no-build-isolation-package",
            "--no-build-package",
            "--no-binary-package",
            "--no-extra",
            "--no-group",
            "--no-install-package",
            "--only-binary",
            "--only-group",
            "--override",
            "--overrides",
            "--package",
            "--platform",
            "--prefix",
            "--prerelease",
            "--progress-bar",
            "--project",
            "--proxy",
            "--python",
            "--python-platform",
            "--python-version",
            "--refresh-package",
            "--reinstall-package",
            "--report",
            "--requirement",
            "--requirements",
            "--resolution",
            "--resume-retries",
            "--retries",
            "--root",
            "--root-user-action",
            "--src",
            "--target",
            "--timeout",
            "--torch-backend",
            "--trusted-host",
            "--upgrade-package",
            "--upgrade-strategy",
            "--use-deprecated",
            "--use-feature",
            "--with",
        )
    ),
)
_UV = Grammar(_PIP.letters.replace("t", "") + "P", _PIP.long)
_REQUIREMENTS = ("-r", "--requirement", "--requirements")
_EDITABLE = ("-e", "--editable", "--group")
_NOT_DONE = ("--dry-run",)
_PACKAGE = r"(?s)([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(.*)\Z"
_EXACT = r"===?\s*([A-Za-z0-9.+!_-]+)\Z"
_LIMITS = r"(?:(?:===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+\s*,?\s*)+\Z"
_BEFORE_VERSION = r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[[^\]]*\])?\s*(?:==|~=|!=|<|>)"
_ARCHIVE = r"(?i).*\.(?:whl|zip|tar|tar\.(?:gz|bz2|xz)|tgz)\Z"
_REMOVED = r"([A-Za-z0-9][A-Za-z0-9._-]*)\Z"


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pip(placed: Placed) -> Found | Removal | None:
    """`pip install`, `pip uninstall`."""
    return _pip("pip", placed, arguments_of(placed.arguments, _PIP))


def read_python(placed: Placed) -> Found | Removal | None:
    """`python -m pip …`."""
    words = placed.arguments
    texts = [word.text for word, _ in words]
    at = 0
    while at < len(texts) and texts[at] in ("-I", "-E", "-s", "-S", "-u", "-B"):
        at += 1
    if texts[at : at + 1] != ["-m"] or texts[at + 1 : at + 2] not in (["pip"], ["uv"]):
        return None
    if texts[at + 1] == "uv":
        return _uv(placed, arguments_of(words[at + 2 :], _UV))
    return _pip("pip", placed, arguments_of(words[at + 2 :], _PIP))


def read_uv(placed: Placed) -> Found | Removal | None:
    """`uv pip install`, `uv pip sync`, `uv sync`, `uv add`, `uv tool install`."""
    return _uv(placed, arguments_of(placed.arguments, _UV))


def _pip(manager: str, placed: Placed, arguments: Arguments) -> Found | Removal | None:
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    if arguments.has(_NOT_DONE):
        return None
    if subcommand == "uninstall":
        found = removal(manager, rest, _REMOVED)
        names = None if found.names is None or arguments.has(_REQUIREMENTS) else frozenset(map(normalised, found.names))
        return Removal(manager, names)
    if manager == "uv" and subcommand == "sync":
        return Found(install(manager, placed, rest, (), [operand.text for operand in rest.operands]))
    if subcommand != "install":
        return None
    return Found(_install(manager, placed, rest))


def _install(manager: str, placed: Placed, rest: Arguments) -> Install:
    packages = [_package(manager, operand) for operand in rest.operands]
    if rest.has(_EDITABLE):
        packages.append(None)
    files = [None if name in ("-", "/dev/stdin") else name for name in rest.values(_REQUIREMENTS)]
    return install(manager, placed, rest, packages, files)


def _uv(placed: Placed, arguments: Arguments) -> Found | Removal | None:
    subcommand = arguments.subcommand()
    rest = arguments.without(1)
    if subcommand == "pip":
        return _pip("uv", placed, rest)
    if subcommand == "sync" and not arguments.has(_NOT_DONE):
        project = arguments.last(("--project", "--directory"))
        files = [posixpath.join(project or "", name) for name in ("pyproject.toml", "uv.lock")]
        return Found(install("uv", placed, rest, (), files))
    if subcommand == "add" or (subcommand == "tool" and rest.subcommand() == "install"):
        return Found(_install("uv", placed, rest if subcommand == "add" else rest.without(1)))
    return None


def _package(manager: str, operand: Operand) -> Package | None:
    text = operand.text
    if text is None:
        package = half_known(manager, operand, _BEFORE_VERSION)
        return package and msgspec.structs.replace(package, name=normalised(package.name))
    match = re.match(_PACKAGE, text)
    if not match or "/" in text.partition("@")[0] or "://" in text or re.match(_ARCHIVE, text):
        return None
    limits = match[3].strip()
    exact = re.match(_EXACT, limits)
    if limits and not exact and not re.match(_LIMITS, limits) and limits[0] not in ";@":
        return None
    if limits.startswith("@"):
        return None
    return Package(
        manager,
        normalised(match[1]),
        exact[1] if exact else None,
        None if exact else limits or None,
        operand.raw,
        operand.span,
    )
