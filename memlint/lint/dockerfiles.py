"""The Dockerfiles of a repository, however many: a few are in memory, the others are parsed when they are asked for."""

from __future__ import annotations

import os

import msgspec

from memlint import TYPE_CHECKING
from memlint.errors import DockerfileError
from memlint.lint.reading import parse, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memlint.dockerfile.reference import BaseImage
    from memlint.lint.facts import Facts
    from memlint.model.dockerfile import Span

_LATEST = 16
"""Parsed ones that are kept, some 50 KB each: a check looks at one file, and at few others."""


class Outline(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What is known of every Dockerfile at any time.

    - `base`: the image from outside that it stands on, named at `base_span`; `pinned`: by digest, and not Windows.
    - `speaks`: comments to memlint may be in it.
    - `check`: differs, within this process, for other bytes.
    """

    base: BaseImage | None
    base_span: Span
    pinned: bool
    speaks: bool
    check: int


class Dockerfiles:
    """By path, relative to `root`; all are parsed with the same build arguments."""

    def __init__(self, root: str, build_args: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.outlines: dict[str, Outline] = {}
        self._build_args = build_args or {}
        self._kept: dict[str, bytes] = {}
        self._latest: dict[str, Facts] = {}
        self._bases: dict[BaseImage, BaseImage] = {}

    def add(self, path: str, content: bytes) -> None:
        """A file, with what was read of it: it can be read again. DockerfileError when it cannot be parsed."""
        facts = self._parsed(path, content)
        self.outlines[path] = self._outline(facts, content)
        self._remember(path, facts)

    def keep(self, path: str, content: bytes) -> None:
        """The same for what cannot be read again."""
        self.add(path, content)
        self._kept[path] = content

    def with_content(self, path: str, content: bytes) -> Dockerfiles:
        """The same Dockerfiles with another text of one. DockerfileError when it cannot be parsed."""
        changed = Dockerfiles(self.root, self._build_args)
        changed.outlines, changed._kept, changed._latest = dict(self.outlines), dict(self._kept), dict(self._latest)
        changed.keep(path, content)
        return changed

    def content(self, path: str) -> bytes:
        """The bytes of one. DockerfileError when the file is not what it was."""
        kept = self._kept.get(path)
        if kept is not None:
            return kept
        content = read_bytes(os.path.join(self.root, path))
        if not self.is_as_read(path, content):
            raise DockerfileError(f"{path}: was changed by somebody else meanwhile", "run it again")
        return content

    def is_as_read(self, path: str, content: bytes) -> bool:
        """Whether these are the bytes that were there at first."""
        return hash(content) == self.outlines[path].check

    def facts(self, path: str) -> Facts:
        """One, parsed, with what checks need of it."""
        facts = self._latest.pop(path, None)
        return self._remember(path, facts or self._parsed(path, self.content(path)))

    def _parsed(self, path: str, content: bytes) -> Facts:
        from memlint.lint.facts import facts_of  # not where nothing is linted

        return facts_of(parse(content, path, self._build_args))

    def _remember(self, path: str, facts: Facts) -> Facts:
        self._latest.pop(path, None)
        self._latest[path] = facts
        if len(self._latest) > _LATEST:
            del self._latest[next(iter(self._latest))]
        return facts

    def _outline(self, facts: Facts, content: bytes) -> Outline:
        from memlint.lint.image import is_windows

        lowest = facts.target.lowest
        base = lowest.base
        return Outline(
            base=base if base is None else self._bases.setdefault(base, base),
            base_span=lowest.stage.base_span,
            pinned="@" in (lowest.stage.base or "") and not is_windows(lowest),
            speaks=b"memlint" in content,
            check=hash(content),
        )
