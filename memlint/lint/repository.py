"""The Dockerfiles of one repository, and the files of it that they speak of."""

from __future__ import annotations

import os
import stat

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memlint.lint.facts import Facts
    from memlint.model.dockerfile import Dockerfile

_LARGEST = 4 * 2**20
"""Files of a build context that are larger than this are no lists of packages."""


class Repository:
    """What a check may look at: it reads nothing but through this.

    Paths are relative to `root`, with slashes; those of `dockerfiles` too, unless a file lies outside of it.
    """

    def __init__(self, dockerfiles: Iterable[Dockerfile], root: str = ".") -> None:
        self.root = root
        self.dockerfiles = tuple(dockerfiles)
        self._by_path = {dockerfile.path: dockerfile for dockerfile in self.dockerfiles}
        self._facts: dict[str, Facts] = {}
        self._lines: dict[str, list[str]] = {}
        self._read: dict[str, str | None] = {}

    def facts(self, dockerfile: Dockerfile) -> Facts:
        """What all checks need of a Dockerfile, computed once."""
        facts = self._facts.get(dockerfile.path)
        if facts is None:
            from memlint.lint.facts import facts_of

            facts = self._facts[dockerfile.path] = facts_of(dockerfile)
        return facts

    def dockerfile(self, path: str) -> Dockerfile | None:
        """The Dockerfile of that path, if it is one of them."""
        return self._by_path.get(path)

    def lines(self, path: str) -> list[str]:
        """The lines of a Dockerfile, without their ends; none when it is not one of them."""
        lines = self._lines.get(path)
        if lines is None:
            dockerfile = self._by_path.get(path)
            text = dockerfile.text.removeprefix("\ufeff").split("\n") if dockerfile else []
            lines = self._lines[path] = [line.removesuffix("\r") for line in text]
        return lines

    def read(self, path: str) -> str | None:
        """The text of a file below `root`; None when there is none, or none that could be a list of packages."""
        if path not in self._read:
            self._read[path] = _text(self.root, path)
        return self._read[path]

    def with_dockerfile(self, changed: Dockerfile) -> Repository:
        """The same repository with another text of one file; what is known of the others is kept."""
        files = [changed if each.path == changed.path else each for each in self.dockerfiles]
        repository = Repository(files, self.root)
        repository._facts = {path: facts for path, facts in self._facts.items() if path != changed.path}
        repository._lines = {path: lines for path, lines in self._lines.items() if path != changed.path}
        repository._read = self._read
        return repository


def _text(root: str, path: str) -> str | None:
    try:
        top = os.path.realpath(root)
        place = os.path.realpath(os.path.join(top, path))
        if os.path.commonpath((top, place)) != top:
            return None
        with open(os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return None
            content = file.read(_LARGEST)
    except (OSError, ValueError):
        return None
    return None if b"\0" in content else content.decode("utf-8", "replace")
