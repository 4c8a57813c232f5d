"""Bases of a fleet: which of several most images stand on, and which smaller one would do."""

from __future__ import annotations

import re
from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.dockerfile.aliases import canonical, key_of, may_be_one
from memlint.dockerfile.reference import CODENAMES, DEBIAN, UBI, UBUNTU
from memlint.lint.fleet import natural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.built import Built

_DIGEST_SHOWN = 19
_NAMED = (*DEBIAN.values(), "sid", *UBUNTU.values())
"""Releases that have names, in their order."""
ONLY_FULL = frozenset("ar c++ cc cmake curl g++ gcc git hg jar javac ld make svn unzip wget".split())
"""Programs of full bases that slim ones lack."""
_SMALL = frozenset(["slim", "minimal", "micro", "chiseled", "distroless", "alpine"])
_BARE = frozenset(["micro", "chiseled", "distroless"])
_DISTROLESS = r"gcr\.io/distroless/(?:(?:base|cc)(?:-nossl)?|nodejs(?P<node>\d+))-debian(?P<debian>\d+)"
"""Those of which it is known what they are a small build of."""


def text_of(base: BaseImage) -> str:
    """A base as people write it, a digest shortened."""
    text = base.repository + (f":{base.tag}" if base.tag else "")
    return f"{text}@{base.digest[:_DIGEST_SHOWN]}…" if base.digest else text


def reference_of(base: BaseImage) -> str:
    """A base as FROM names it."""
    return base.repository + (f":{base.tag}" if base.tag else "") + (f"@{base.digest}" if base.digest else "")


def usual(group: Sequence[Built]) -> list[Built]:
    """Those of the images that stand on the base that most stand on; of several, on the newest by its tag."""
    same: dict[str, list[Built]] = defaultdict(list)
    for built in group:
        same[key_of(built.base)].append(built)
    return max(same.values(), key=lambda each: (len(each), bool(each[0].base.digest), natural(each[0].base.tag or "")))


def by_age(release: str) -> tuple[int, list[tuple[int, str]]]:
    """A key that sorts the releases of one distribution, the oldest first."""
    return (_NAMED.index(release) if release in _NAMED else -1, natural(release))


def smaller(base: BaseImage, other: BaseImage) -> str | None:
    """How `other` is a smaller build of the very version that `base` is one of; None when it is none.

    "slim" (with the libc and the package manager of the full one), "distroless" (without the latter) or "alpine".
    """
    if version_of(base) != version_of(other) or None in (base.libc, other.libc) or may_be_one(base, other):
        return None
    more = _marks(other) - _marks(base)
    if not more or _marks(base) - _marks(other):
        return None
    if base.libc != other.libc:
        return "alpine" if more == {"alpine"} else None
    bare = not _BARE.isdisjoint(more)
    if base.release != other.release and not (bare and base.release is None):  # nodejs22-debian12 names one in any case
        return None
    return "distroless" if bare else "slim"


def would_do(built: Built, kind: str) -> bool:
    """Whether an image might stand on a smaller build of that kind, as far as its steps tell."""
    content = built.content
    if content.full:
        return False
    return not (content.shell if kind == "distroless" else content.system if kind == "alpine" else False)


def _marks(base: BaseImage) -> set[str]:
    """What makes a build a small one: `slim`, …, or `jre` instead of `jdk`."""
    parts = set(re.split(r"[-_]", base.tag or ""))
    marks = (parts | {base.variant}) & _SMALL
    found = {mark for mark in marks if mark}
    small = any(re.fullmatch(r"(?:\d+)?jre(?:\d+)?", part) for part in parts) or base.repository.endswith("-runtime")
    return found | {"jre"} if small else found


def version_of(base: BaseImage) -> tuple[str, ...]:
    """What it is a build of: equal for the full build and the small ones, whatever release they stand on."""
    known = canonical(base)
    if match := re.fullmatch(UBI, known.repository):
        return (match["release"], re.sub(r"-(?:minimal|micro|runtime)\Z", "", match["rest"]).removesuffix("/ubi"))
    if match := re.fullmatch(_DISTROLESS, known.repository):
        return ("node", match["node"]) if match["node"] else ("debian", DEBIAN.get(match["debian"], ""))
    parts = [re.sub(r"j(?:re|dk)|alpine[\d.]*", "", part) for part in re.split(r"[-_]", known.tag or "latest")]
    releases = CODENAMES if known.repository not in ("debian", "ubuntu") else {}
    kept = [part for part in parts if part and part not in _SMALL and part not in releases]
    return (known.repository, *(kept or ["latest"]))
