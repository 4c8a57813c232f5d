"""Which image a distribution is published as: what a FROM can name where no Dockerfile says it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from memlint.model.layer import Release

SCRATCH = "scratch"


class Published(msgspec.Struct, frozen=True):
    """A repository whose tags are versions: the first `parts` numbers of one (None: all of it), `otherwise` without."""

    repository: str
    parts: int | None = None
    otherwise: str = "latest"
    prefix: str = ""


_PUBLISHED: Mapping[str, Published] = {
    "almalinux": Published("almalinux", 2),
    "alpine": Published("alpine", 2, "edge"),
    "amzn": Published("amazonlinux"),
    "arch": Published("archlinux", 0),
    "azurelinux": Published("mcr.microsoft.com/azurelinux/base/core", 2),
    "centos": Published("quay.io/centos/centos", 1, "latest", "stream"),
    "centos:7": Published("centos", 1),
    "chainguard": Published("cgr.dev/chainguard/chainguard-base", 0),
    "debian": Published("debian", None, "sid"),
    "fedora": Published("fedora"),
    "kali": Published("kalilinux/kali-rolling", 0),
    "mariner": Published("mcr.microsoft.com/cbl-mariner/base/core", 2),
    "ol": Published("oraclelinux", 1),
    "opensuse-leap": Published("opensuse/leap", 2),
    "opensuse-tumbleweed": Published("opensuse/tumbleweed", 0),
    "photon": Published("photon", 2),
    "rhel": Published("redhat/ubi{major}", 2),
    "rocky": Published("rockylinux/rockylinux", 1),
    "sles": Published("registry.suse.com/bci/bci-base", 2),
    "ubuntu": Published("ubuntu"),
    "wolfi": Published("cgr.dev/chainguard/wolfi-base", 0),
}
"""By the ID of os-release(5), or ID and first number of a version that is published otherwise."""


REPOSITORIES = frozenset(each.repository for each in _PUBLISHED.values())


def published(release: Release | None) -> str | None:
    """The image of a distribution; scratch where there is none, None where it is not known what it is published as."""
    if release is None:
        return SCRATCH
    numbers = [] if "_" in release.version else [each for each in release.version.split(".") if each]
    known = _PUBLISHED.get(":".join([release.name, *numbers[:1]])) or _PUBLISHED.get(release.name)
    if known is None:
        return None
    own = numbers if known.parts is None else numbers[: known.parts]
    tag = known.prefix + ".".join(own) if own else known.otherwise
    return f"{known.repository.format(major=numbers[0] if numbers else '')}:{tag}"
