"""Commands that bring newer versions of the packages that are there."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.model.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.shell import Command

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
_WITH_VALUE = frozenset(
    (
        *("-X", "-c", "-o", "-p", "-t", "--config", "--disablerepo", "--enablerepo", "--exclude", "--installroot"),
        *("--option", "--releasever", "--repo", "--repository", "--root", "--setopt", "--target-release"),
    )
)
_NOT_DONE = frozenset(
    (
        *("-d", "-s", "--download-only", "--downloadonly", "--dry-run", "--just-print", "--no-act", "--recon"),
        "--simulate",
    )
)
_PACMAN = r"-S\w*u"


def upgraded_by(command: Command) -> str | None:
    """What an upgrade replaces, in words; None when the command is none, or may not run."""
    name, texts = command.name or "", [word.text for word in command.arguments]
    if any(text in _NOT_DONE for text in texts):
        return None
    if name in ("unattended-upgrade", "unattended-upgrades"):
        return "packages of the base"
    if name == "pacman":
        return "packages of the base" if any(text and re.match(_PACMAN, text) for text in texts) else None
    operands = _operands(texts)
    if name not in _SUBCOMMANDS or not operands or operands[0] is None:
        return None
    if operands[0] in _SUBCOMMANDS[name]:
        return _named(operands[1:])
    if operands[0] == "install" and "--only-upgrade" in texts:
        return _named(operands[1:])
    return None


def _operands(texts: Sequence[str | None]) -> list[str | None]:
    found: list[str | None] = []
    skip = False
    for text in texts:
        if skip:
            skip = False
        elif text is None or not text.startswith("-"):
            found.append(text)
        else:
            skip = text in _WITH_VALUE
    return found


def _named(packages: Sequence[str | None]) -> str:
    known = [package for package in packages if package]
    if not known:
        return "packages of the base"
    return enumerated(known)
