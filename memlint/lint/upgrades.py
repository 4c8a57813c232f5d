"""Commands that bring newer versions of the packages that are there."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.installs import arguments_in
from memlint.model.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.shell import Placed

_DEB = frozenset(("upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade"))
_RPM = frozenset(("update", "upgrade", "distro-sync", "dsync", "dup", "update-minimal", "upgrade-minimal", "up"))
_SUBCOMMANDS = {
    "apt-get": _DEB,
    "apt": _DEB,
    "aptitude": _DEB,
    "apk": frozenset(("upgrade",)),
    "dnf": _RPM,
    "dnf5": _RPM,
    "tdnf": _RPM,
    "yum": _RPM,
    "microdnf": _RPM,
    "zypper": frozenset(("update", "up", "dist-upgrade", "dup", "patch")),
}
_NO_CHANGE = ("--dry-run", "--downloadonly", "--download-only", "--print")
_PACMAN = r"-S[^wp\W]*u[^wp\W]*\Z"
"""`-w` only downloads, `-p` only prints."""


def upgraded_by(placed: Placed) -> str | None:
    """What an upgrade replaces, in words; None when the command is none, or may not run."""
    name, texts = placed.command.name or "", [word.text or "" for word in placed.command.arguments]
    if name in ("unattended-upgrade", "unattended-upgrades", "pacman"):
        upgrades = name != "pacman" or any(re.match(_PACMAN, text) for text in texts)
        return "packages of the base" if upgrades and not any(text in _NO_CHANGE for text in texts) else None
    arguments = arguments_in(placed) if name in _SUBCOMMANDS else None
    if arguments is None:
        return None
    subcommand = arguments.subcommand()
    only_newer = subcommand == "install" and arguments.has(("--only-upgrade",))
    if subcommand in _SUBCOMMANDS[name] or only_newer:
        return _named([operand.text for operand in arguments.without(1).operands])
    return None


def _named(packages: Sequence[str | None]) -> str:
    known = [package for package in packages if package]
    if not known:
        return "packages of the base"
    return enumerated(known)
