"""Names of one image: tags that always mean the same build, and tags that do as long as a default stays what it is."""

from __future__ import annotations

import re

from memlint.dockerfile.reference import CODENAMES, DEBIAN, UBUNTU, BaseImage, unmirrored

_RELEASES = {"debian": DEBIAN, "ubuntu": UBUNTU, "buildpack-deps": UBUNTU}
"""Where a release has its number and its name for a tag. Point releases (12.5) and dates are builds of their own."""
_DISTRIBUTIONS = frozenset(("alpine", "debian", "ubuntu"))
"""Here the release is what the tag says: without one it means another."""
_ALPINE = r"alpine\d[\d.]*"


def canonical(image: BaseImage) -> BaseImage:
    """The same image by one of its names: debian:12-slim is debian:bookworm-slim, and a mirror has what it mirrors."""
    repository = unmirrored(image.repository)
    version, dash, rest = (image.tag or "latest").partition("-")
    if repository == "centos":
        version = version.removeprefix("centos")
    version = _RELEASES.get(repository, {}).get(version, version)
    return BaseImage(repository, f"{version}{dash}{rest}", image.digest)


def key_of(image: BaseImage) -> str:
    """Equal for names of one build."""
    known = canonical(image)
    return f"{known.repository}@{known.digest or known.tag}"


def may_be_one(one: BaseImage, other: BaseImage) -> bool:
    """Whether one leaves the release open that the other names: node:22 is node:22-bookworm until the default moves."""
    first, second = canonical(one), canonical(other)
    if first.repository != second.repository or first.digest or second.digest or first.repository in _DISTRIBUTIONS:
        return False
    releases = {release for release in (one.release, other.release) if release}
    return _without_release(first) == _without_release(second) and len(releases) < 2


def _without_release(image: BaseImage) -> list[str]:
    parts = ["alpine" if re.fullmatch(_ALPINE, part) else part for part in (image.tag or "").split("-")]
    slim = ("slim",) if image.repository.startswith("mcr.microsoft.com/dotnet/") else ()  # 8.0 is 8.0-bookworm-slim
    return [part for part in parts if part not in CODENAMES and part not in slim and part != "latest"]
