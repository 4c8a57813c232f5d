"""Bases of a fleet: which of several most images stand on, and which smaller one would do."""

from __future__ import annotations

import re
from collections import defaultdict

from memlint import TYPE_CHECKING
from memlint.lint.fleet import natural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.built import Built
    from memlint.lint.repository import Repository

_DIGEST_SHOWN = 19
_NAMED = (
    *("wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "sid"),
    *(
        "trusty",
        "xenial",
        "bionic",
        "focal",
        "jammy",
        "kinetic",
        "lunar",
        "mantic",
        "noble",
        "oracular",
        "plucky",
        "questing",
    ),
)
"""Releases that have names, in their order."""
ONLY_FULL = frozenset("ar c++ cc cmake curl g++ gcc git hg jar javac ld make svn unzip wget".split())
"""Programs of full bases that slim ones lack."""
_SLIM = frozenset(["slim", "minimal"])


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
        same[built.base.digest or built.base.tag or "latest"].append(built)
    return max(same.values(), key=lambda each: (len(each), bool(each[0].base.digest), natural(each[0].base.tag or "")))


def by_age(release: str) -> tuple[int, list[tuple[int, str]]]:
    """A key that sorts the releases of one distribution, the oldest first."""
    return (_NAMED.index(release) if release in _NAMED else -1, natural(release))


def is_built_here(base: BaseImage, repository: Repository) -> bool:
    """Whether a base seems to be an image of the repository itself: a Dockerfile lies in, or has, its name."""
    namespace, _, name = base.repository.rpartition("/")
    return bool(namespace) and name in repository.once("parts of paths", lambda: _parts(repository))


def _parts(repository: Repository) -> set[str]:
    """The names that directories and Dockerfiles have."""
    return {part for path in repository.paths for part in re.split(r"[/.]", path)}


def slimmer(base: BaseImage, other: BaseImage) -> bool:
    """Whether `other` is the slim build of the very version that `base` is the full build of."""
    if base.libc != other.libc or base.libc is None:
        return False
    return bool(_marks(other) - _marks(base)) and version_of(base) == version_of(other)


def _marks(base: BaseImage) -> set[str]:
    """What makes a build a small one: `slim`, or `jre` instead of `jdk`."""
    parts = set(re.split(r"[-_]", base.tag or ""))
    marks = parts & _SLIM
    return marks | {"jre"} if any(re.fullmatch(r"(?:\d+)?jre(?:\d+)?", part) for part in parts) else marks


def version_of(base: BaseImage) -> tuple[str, ...]:
    """Its repository and tag without what makes it a small build: equal for the full and the slim build."""
    parts = re.split(r"[-_]", base.tag or "latest")
    kept = [re.sub(r"j(?:re|dk)", "", part) for part in parts if part not in _SLIM]
    return (base.repository, *([part for part in kept if part] or ["latest"]))
