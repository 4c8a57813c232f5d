"""The base of the image is not pinned: no version, or no digest."""

from __future__ import annotations

import re
from sys import intern

from memlint import TYPE_CHECKING
from memlint.dockerfile.words import assignments
from memlint.lint.image import final_stages
from memlint.model.finding import Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.repository import Repository
    from memlint.lint.thresholds import Pin, Share
    from memlint.model.dockerfile import Dockerfile

_NEWEST = "latest"
_OWN = r"(?:.*[-_])?(?:base|builder|build|image|app|local|dev|foo|test)"
"""Names without a registry or an owner that people give to images they build beside this one."""
_VARIABLE = r"\$\{?(\w+)"


def unpinned_base(
    dockerfile: Dockerfile, repository: Repository, *, pinned_by: Pin, min_pinned: Share
) -> Iterator[Hit]:
    """`pinned_by` "tag": bases without a version. "digest": bases with a version, but without a digest.

    Only where at least the share `min_pinned` of the repository's bases has a digest: then it is the custom there.
    """
    stages = final_stages(dockerfile, repository)
    base = stages[0].base if stages else None
    if base is None or base.digest or base.family == "scratch" or _is_built_here(base):
        return
    versioned = base.tag not in (None, _NEWEST)
    if versioned != (pinned_by == "digest") or _is_put_together(dockerfile, stages[0].stage.source.words[0].text):
        return
    pinned: list[str] = repository.once("pinned bases", lambda: _pinned(repository)) if min_pinned else []
    if len(pinned) < min_pinned * len(repository.paths):
        return
    written = stages[0].stage.base or base.repository
    yield Hit(
        location=Location(dockerfile.path, stages[0].stage.base_span),
        evidence={"base": written, "lack": _lack(base)},
        related=tuple(
            Related(Location(path, repository.outline(path).base_span), "this one is pinned by digest")
            for path in pinned[:1]
        ),
        suggestion=intern(  # one string for all images on a base: this is the most frequent finding
            f"write {written if versioned else base.repository + ':VERSION'}@sha256:… "
            f"with the digest that `docker buildx imagetools inspect {written}` prints"
        ),
    )


def _lack(base: BaseImage) -> str:
    if base.tag is None:
        return "has no tag"
    return "is whatever is newest" if base.tag == _NEWEST else "has a tag but no digest"


def _pinned(repository: Repository) -> list[str]:
    """The Dockerfiles of the repository whose base has a digest."""
    return [path for path in repository.paths if repository.outline(path).pinned]


def _is_built_here(base: BaseImage) -> bool:
    """Whether the name stands for an image of this build, passed as a context or built before it."""
    return base.tag in (None, _NEWEST) and re.fullmatch(_OWN, base.repository) is not None


def _is_put_together(dockerfile: Dockerfile, written: str) -> bool:
    """Whether the name comes from an ARG whose default is made of others: a build that has them passes them."""
    named = re.findall(_VARIABLE, written.rpartition(":")[0] if ":" in written else written)
    return any(
        name in named and "$" in (default or "")
        for instruction in dockerfile.preamble
        if instruction.keyword == "ARG"
        for name, default, _ in assignments(instruction)
    )
