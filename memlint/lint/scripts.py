"""The shell scripts of an image, by the names that start them, found without a walk over all that was copied."""

from __future__ import annotations

import re
from itertools import islice
from posixpath import basename

import msgspec

from memlint import TYPE_CHECKING
from memlint.lint.image import copy_of
from memlint.lint.installing import context_file
from memlint.lint.paths import directories, join
from memlint.model.dockerfile import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.facts import Facts, Step
    from memlint.lint.image import Copy
    from memlint.lint.repository import Repository

_SHEBANG = r"#!\s*\S*/(?:env\s+)?(?:sh|bash|dash|ash)\b"


class Script(msgspec.Struct, frozen=True):
    """Its text, and what it is called where it was written."""

    text: str
    name: str

    def locate(self, start: int, end: int) -> Span:
        """The place in it of `text[start:end]`."""
        (line, column), (end_line, end_column) = self._place(start), self._place(end)
        return Span(line, column, end_line, end_column)

    def _place(self, offset: int) -> tuple[int, int]:
        return self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)


class _Placed(msgspec.Struct, frozen=True):
    """What a COPY put there: the `number` of the COPY, the source in the build context, or the text of a heredoc."""

    number: int
    source: str
    text: str | None = None


class Scripts:
    """Those that COPY and ADD take from the build context or a here-document; the last one of a path counts."""

    def __init__(self, steps: Sequence[Step], facts: Facts, repository: Repository) -> None:
        self._dockerfile, self._repository = facts.dockerfile, repository
        self._files: dict[str, _Placed] = {}
        self._called: dict[str, _Placed] = {}
        self._directories: dict[str, _Placed] = {}
        for number, step in enumerate(steps):
            copy = copy_of(step, facts)
            if copy is not None and copy.target is not None and copy.stage is None:
                self._add(number, copy, copy.target)

    def _add(self, number: int, copy: Copy, target: str) -> None:
        for path, placed in _files(number, copy, target):
            self._files[path] = self._called[basename(path)] = placed
        whole = next((source for source in copy.sources if not source.strip("./") or source.endswith("/")), None)
        if whole is not None:
            self._directories[target] = _Placed(number, whole)

    def find(self, name: str, directory: str | None) -> Script | None:
        """What a command starts by that name or path, run in that directory; None when it is no shell script."""
        path = join(directory, name) if "/" in name else None
        placed = self._called.get(name) if path is None else self._at(path)
        if placed is None:
            return None
        text = placed.text
        if text is None:
            text = context_file(placed.source, self._dockerfile, self._repository)
        if text is None or (text.startswith("#!") and not re.match(_SHEBANG, text)):
            return None
        return Script(text.replace("\r\n", "\n"), (placed.source if placed.text is None else name).removeprefix("./"))

    def _at(self, path: str) -> _Placed | None:
        """The last that may have brought the file of a path: by its name, or with a directory that it lies in."""
        found = self._files.get(path)
        for directory in islice(directories(path), 1, None):
            whole = self._directories.get(directory)
            if whole is not None and (found is None or whole.number > found.number):
                source = f"{whole.source.rstrip('/')}/{path.removeprefix(directory).lstrip('/')}"
                found = _Placed(whole.number, source)
        return found


def _files(number: int, copy: Copy, target: str) -> Iterator[tuple[str, _Placed]]:
    """The paths that a COPY names for certain, and what it puts there."""
    heredocs = copy.instruction.heredocs
    if len(heredocs) == 1:
        yield target, _Placed(number, heredocs[0].name, heredocs[0].content)
    for source in copy.sources:
        if not source.strip("./") or source.endswith("/"):
            continue
        placed = _Placed(number, source)
        if not copy.into:
            yield target, placed
        path = join(target, basename(source))
        if path is not None:
            yield path, placed
