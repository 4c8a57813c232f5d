"""Which of a multi-platform image's manifests is meant."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

from memlint.errors import SourceError, UsageError

_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "arm/v7",
    "armv6l": "arm/v6",
    "i686": "386",
    "i386": "386",
    "ppc64le": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}
_DEFAULT_VARIANTS = {"arm64": "v8", "arm": "v7"}


def host_platform() -> str:
    """`linux/` and this machine's architecture: containers run on Linux even where this program does not."""
    machine = platform.machine().lower()
    return "linux/" + _MACHINES.get(machine, machine)


def normalise(text: str) -> str:
    """`os/architecture[/variant]` in Go's names; UsageError when it is not of that form."""
    parts = text.lower().split("/")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise UsageError(f"{text!r} is no platform", "write it as linux/amd64 or linux/arm/v7")
    system, architecture, *variant = parts
    architecture, *implied = _MACHINES.get(architecture, architecture).split("/")
    variant = variant or implied or [_DEFAULT_VARIANTS.get(architecture, "")]
    if (architecture, variant) == ("amd64", ["v1"]):
        variant = []
    return "/".join(part for part in (system, architecture, *variant) if part)


def choose(available: Sequence[str], wanted: str | None, where: str) -> int:
    """The number of the platform to take: the wanted one, else the only one, else this host's.

    SourceError naming what there is when none fits.
    """
    if wanted is None and len(available) == 1:
        return 0
    meant = normalise(wanted or host_platform())
    for number, candidate in enumerate(available):
        if _same(candidate, meant):
            return number
    raise SourceError(f"{where}: has no image for {meant}", f"choose with --platform: {_listed(available)}")


def expect(found: str, wanted: str | None, where: str) -> None:
    """SourceError when a platform was asked for and the image is for another."""
    if wanted is not None and not _same(found, normalise(wanted)):
        raise SourceError(
            f"{where}: is for {found}, not for {normalise(wanted)}",
            "leave out --platform, or give the other image",
        )


def _same(candidate: str, meant: str) -> bool:
    return candidate.count("/") in (1, 2) and normalise(candidate) == meant


def _listed(available: Iterable[str]) -> str:
    return ", ".join(sorted(set(available))) or "it has none at all"
