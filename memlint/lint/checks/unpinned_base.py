"""The base of the image is not pinned: no version, or no digest."""

from __future__ import annotations

import re
from sys import intern

from memlint import TYPE_CHECKING
from memlint.dockerfile.tags import kept, moves
from memlint.dockerfile.words import assignments
from memlint.lint.image import images_of, told_once
from memlint.lint.targets import is_built_here
from memlint.model.finding import Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.facts import StageFacts
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Pin, Share
    from memlint.model.dockerfile import Dockerfile

_OWN = r"(?:[^/]*[-_])?(?:base|builder|build|image|app|local|dev|foo|test)"
"""Names without a registry or an owner that people give to images they build beside this one."""
_VARIABLE = r"\$\{?(\w+)"
_NO_VERSIONS = ("gcr.io/distroless/", "cgr.dev/chainguard/")
"""Whoever publishes there gives no image a version that stays: only a digest pins one."""


def unpinned_base(
    dockerfile: Dockerfile, repository: Repository, *, pinned_by: Pin, min_pinned: Share
) -> Iterator[Hit]:
    """`pinned_by` "tag": bases without a version. "digest": bases with a version, but without a digest.

    Only where at least the share `min_pinned` of the repository's bases has a digest: then it is the custom there.
    """
    pinned: list[str] = repository.once("pinned bases", lambda: _pinned(repository)) if min_pinned else []
    if len(pinned) < min_pinned * len(repository.paths):
        return iter(())
    images = images_of(dockerfile, repository)
    return told_once(_in_image(dockerfile, stages[0], repository, pinned_by, pinned) for stages in images)


def _in_image(
    dockerfile: Dockerfile, lowest: StageFacts, repository: Repository, pinned_by: str, pinned: list[str]
) -> Iterator[Hit]:
    base = lowest.base
    if base is None or base.digest or base.family == "scratch" or _is_built_here(base, dockerfile.path, repository):
        return
    versioned = not moves(base.tag)
    if versioned != (pinned_by == "digest") or _is_put_together(dockerfile, lowest.stage.source.words[0].text):
        return
    written = lowest.stage.base or base.repository
    yield Hit(
        location=Location(dockerfile.path, lowest.stage.base_span),
        evidence={"base": written, "lack": _lack(base, versioned)},
        related=tuple(
            Related(Location(path, repository.outline(path).base_span), "this one is pinned by digest")
            for path in pinned[:1]
        ),
        suggestion=intern(  # one string for all images on a base: this is the most frequent finding
            f"write {written if versioned else _with_version(base)}@sha256:… "
            f"with the digest that `docker buildx imagetools inspect {written}` prints"
        ),
    )


def _lack(base: BaseImage, versioned: bool) -> str:
    if base.tag is None:
        return "has no tag"
    return "has a tag but no digest" if versioned else "is whatever is newest"


def _with_version(base: BaseImage) -> str:
    """The base with a version for the tag that moves, where its images have any."""
    if base.repository.startswith(_NO_VERSIONS):
        return base.repository + (f":{base.tag}" if base.tag else "")
    return f"{base.repository}:VERSION{kept(base.tag)}"


def _pinned(repository: Repository) -> list[str]:
    """The Dockerfiles of the repository whose base has a digest."""
    return [path for path in repository.paths if repository.outline(path).pinned]


def _is_built_here(base: BaseImage, path: str, repository: Repository) -> bool:
    """Whether the name stands for an image of this build, passed as a context or built before it."""
    if not moves(base.tag):
        return False
    if re.fullmatch(_OWN, base.repository):
        return True
    own = base.repository.rpartition("/")[2] in re.split(r"[/.]", path)  # a redis/Dockerfile on somebody's redis
    if is_built_here(base, repository) and not own:
        return True
    return "/" not in base.repository and base.family is None and base.tag not in (None, "latest")


def _is_put_together(dockerfile: Dockerfile, written: str) -> bool:
    """Whether the name comes from an ARG whose default is made of others: a build that has them passes them."""
    named = re.findall(_VARIABLE, written.rpartition(":")[0] if ":" in written else written)
    return any(
        name in named and "$" in (default or "")
        for instruction in dockerfile.preamble
        if instruction.keyword == "ARG"
        for name, default, _ in assignments(instruction)
    )
