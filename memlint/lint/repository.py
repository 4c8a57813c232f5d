"""The Dockerfiles of one repository, and the files of it that they speak of."""

from __future__ import annotations

import os
import stat

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from memlint.lint.built import Built
    from memlint.lint.dockerfiles import Dockerfiles, Outline
    from memlint.lint.facts import Facts
    from memlint.model.dockerfile import Dockerfile

_LARGEST = 4 * 2**20
"""Files of a build context that are larger than this are no lists of packages."""
_LATEST = 16
"""Other files whose text is kept."""


class Repository:
    """What a check may look at: it reads nothing but through this.

    Paths are relative to `root`, with slashes; those of `paths` too, unless a file lies outside of it.
    What is kept does not grow by more than some hundred bytes for each Dockerfile: checks keep no parsed ones.
    """

    def __init__(self, dockerfiles: Dockerfiles, given: Collection[str] | None = None) -> None:
        self.root = dockerfiles.root
        self.paths = tuple(sorted(dockerfiles.outlines))
        self.given = dockerfiles.outlines.keys() if given is None else given
        """The Dockerfiles that the call is about."""
        self._dockerfiles = dockerfiles
        self._built: dict[str, tuple[Built, ...]] = {}
        self._named: dict[str, tuple[tuple[str, str], ...]] = {}
        self._read: dict[str, str | None] = {}
        self._worked_out: dict[str, object] = {}
        self._lines: tuple[str, list[str]] | None = None
        self._top = os.path.realpath(self.root)

    @property
    def dockerfiles(self) -> Iterator[Dockerfile]:
        """All of them, by path, one after the other."""
        return (self._dockerfiles.facts(path).dockerfile for path in self.paths)

    def dockerfile(self, path: str) -> Dockerfile | None:
        """The Dockerfile of that path, if it is one of them."""
        return self._dockerfiles.facts(path).dockerfile if path in self._dockerfiles.outlines else None

    def facts(self, dockerfile: Dockerfile) -> Facts:
        """What all checks need of a Dockerfile."""
        facts = self._dockerfiles.facts(dockerfile.path)
        if facts.dockerfile is dockerfile:
            return facts
        from memlint.lint.facts import facts_of

        return facts_of(dockerfile)

    def outline(self, path: str) -> Outline:
        """What is known of a Dockerfile without a look at it."""
        return self._dockerfiles.outlines[path]

    def built(self, path: str) -> tuple[Built, ...]:
        """What the images that are built of a Dockerfile mean for others, that of its last stage first.

        None of Windows is among them, and none whose base is unknown.
        """
        if path not in self._built:
            from memlint.lint.built import built_of  # only comparisons ask for it

            self._built[path] = built_of(self._dockerfiles.facts(path), self)
        return self._built[path]

    def targets_named_in(self, directory: str) -> tuple[tuple[str, str], ...]:
        """The Dockerfiles and stages that files of a directory name as what is built."""
        if directory not in self._named:
            from memlint.lint.targets import named_in  # a file of one stage needs no name

            self._named[directory] = named_in(directory, self)
        return self._named[directory]

    def content(self, path: str) -> bytes:
        """The bytes of a Dockerfile."""
        return self._dockerfiles.content(path)

    def is_as_read(self, path: str, content: bytes) -> bool:
        """Whether a Dockerfile that has these bytes now is the one that was linted."""
        return self._dockerfiles.is_as_read(path, content)

    def lines(self, path: str) -> list[str]:
        """The lines of a Dockerfile, without their ends; none when it is not one of them."""
        if path not in self._dockerfiles.outlines:
            return []
        if self._lines is None or self._lines[0] != path:
            text = self.content(path).decode("utf-8", "surrogateescape").removeprefix("\ufeff")
            self._lines = path, [line.removesuffix("\r") for line in text.split("\n")]
        return self._lines[1]

    def read(self, path: str) -> str | None:
        """The text of a file below `root`; None when there is none, or none that could be a list of packages."""
        text = self._read.pop(path) if path in self._read else _text(self._top, path)
        self._read[path] = text
        if len(self._read) > _LATEST:
            del self._read[next(iter(self._read))]
        return text

    def once(self, key: str, work: Callable[[], Any]) -> Any:
        """What `work` gives, done once for all checks that ask for it by that key."""
        if key not in self._worked_out:
            self._worked_out[key] = work()
        return self._worked_out[key]

    def with_content(self, path: str, content: bytes) -> Repository:
        """The same repository with another text of one Dockerfile; what is known of the others is kept.

        DockerfileError when it cannot be parsed.
        """
        repository = Repository(self._dockerfiles.with_content(path, content), self.given)
        repository._built = dict(self._built)
        repository._built.pop(path, None)
        repository._named = self._named
        return repository


def _text(top: str, path: str) -> str | None:
    try:
        place = os.path.realpath(os.path.join(top, path))
        if os.path.commonpath((top, place)) != top:
            return None
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(status.st_size)
        finally:
            os.close(descriptor)
    except (OSError, ValueError):
        return None
    return None if b"\0" in content else content.decode("utf-8", "replace")
