"""Tags that name a version, and tags that stand for whatever is newest."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.reference import CODENAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOVING = frozenset(
    "canary current dev devel develop development edge experimental head insiders latest lts main mainline master"
    " nightly next rolling sid snapshot stable testing tip trunk unstable".split()
)
"""Words for what is newest, or newest of a kind."""
_NO_VERSION = (
    r"(?:alpine|debian|ubuntu|ubi|rhel|fedora|centos|rocky(?:linux)?|alma(?:linux)?|ol|oraclelinux|al|amazonlinux)[\d.]*"
    r"|amd64|arm64|arm64v\d|arm\d\dv\d|armv\d\w*|armhf|aarch64|x86|x64|i386|i686|ppc64(?:le)?|s390x|riscv64|py\d"
)
"""Parts with digits that say what the image is for, not which version it is."""
_COMMIT = r"[0-9a-f]{7,64}"


def moves(tag: str | None) -> bool:
    """Whether a tag names no version: nothing in it has a digit or is a release, or a word says that it moves.

    The release of the distribution alone pins nothing beside such a word: `lts-alpine3.20` moves.
    """
    if tag is None:
        return True
    parts = re.split(r"[-_]", tag.lower().replace("x86_64", "amd64"))
    if any(_is_version(part) for part in parts):
        return False
    return not _MOVING.isdisjoint(parts) or not any(_is_release(part) for part in parts)


def kept(tag: str | None) -> str:
    """What of a tag that moves stays when a version is named: the variant, with a hyphen before it."""
    return "".join(f"-{part}" for part in _variant(tag or ""))


def _variant(tag: str) -> Iterator[str]:
    return (part for part in re.split(r"[-_]", tag) if part and part.lower() not in _MOVING)


def _is_version(part: str) -> bool:
    if re.fullmatch(_COMMIT, part):
        return True
    return re.search(r"\d", part) is not None and not re.fullmatch(_NO_VERSION, part)


def _is_release(part: str) -> bool:
    return (part in CODENAMES and part != "sid") or re.search(r"\d", part) is not None
