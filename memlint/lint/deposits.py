"""Where COPY, ADD and RUN put files, found by path or by directory without a walk over all of them."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from fnmatch import fnmatchcase
from itertools import islice
from posixpath import dirname

from memlint import TYPE_CHECKING
from memlint.lint.paths import directories, is_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memlint.lint.image import Copy
    from memlint.model.dockerfile import Instruction

_PYTHON = r"/python\d[\d.]*(?=/|\Z)"


class Deposits:
    """What was put in place so far."""

    def __init__(self) -> None:
        self._copies: list[Copy] = []
        self._named: dict[str, int] = {}
        self._holding: dict[str, int] = {}
        self._programs: dict[str, int] = {}
        self._broad: dict[str, int] = {}
        self._targets: set[str] = set()
        self._above_targets: set[str] = set()
        self._files: dict[str, list[str]] = {}
        self._made: dict[str, Instruction] = {}
        self._made_programs: dict[str, Instruction] = {}
        self._environments: dict[str, Instruction] = {}
        self._packages: dict[str, Instruction] = {}
        self._above_packages: dict[str, Instruction] = {}

    # What is put there

    def copied(self, copy: Copy) -> None:
        """A COPY or ADD ran. In all that follows, it comes before those that ran earlier."""
        number = len(self._copies)
        self._copies.append(copy)
        if copy.target is None:
            return
        above = list(directories(copy.target))
        self._targets.add(copy.target)
        self._above_targets.update(above)
        if copy.holds_unnamed:
            self._holding[copy.target] = number
        if copy.programs:
            self._programs.update(dict.fromkeys(above, number))
        if copy.broad:
            self._broad.update(dict.fromkeys(above, number))
        for path in copy.paths:
            self._named[path] = number
            self._listed(path)

    def made(self, path: str, instruction: Instruction) -> None:
        """A RUN made a file."""
        self._made[path] = instruction
        self._listed(path)
        if is_program(path):
            _first(self._made_programs, directories(path), instruction)

    def environment(self, path: str, instruction: Instruction) -> None:
        """A RUN made a virtual environment of Python."""
        _first(self._environments, directories(path), instruction)

    def packages(self, path: str, instruction: Instruction) -> None:
        """A RUN installed packages with native modules to that directory; which Python it is for does not matter."""
        self._packages.setdefault(_unversioned(path), instruction)
        _first(self._above_packages, directories(_unversioned(path)), instruction)

    def _listed(self, path: str) -> None:
        insort(self._files.setdefault(dirname(path), []), path)

    # Who put it there

    def maker(self, path: str) -> Instruction | None:
        """The RUN that made a file, known by its name."""
        return self._made.get(path)

    def holder(self, path: str) -> tuple[Copy, bool] | None:
        """The last copy that the path may come from, and whether it names the file."""
        named = self._named.get(path, -1)
        held = max((self._holding.get(each, -1) for each in islice(directories(path), 1, None)), default=-1)
        return None if named == held == -1 else (self._copies[max(named, held)], named >= held)

    def copier(self, directory: str) -> Copy | None:
        """The last copy of programs or libraries to a place in the directory."""
        number = self._programs.get(directory)
        return None if number is None else self._copies[number]

    def context(self, directory: str) -> Copy | None:
        """The last copy of the whole build context to a place in the directory."""
        number = self._broad.get(directory)
        return None if number is None else self._copies[number]

    def builder(self, directory: str) -> Instruction | None:
        """The first RUN that made a program or a virtual environment in the directory."""
        return self._made_programs.get(directory) or self._environments.get(directory)

    def installer(self, directory: str) -> Instruction | None:
        """The first RUN that installed packages with native modules to a place in the directory."""
        return self._above_packages.get(_unversioned(directory))

    def package(self, path: str) -> Instruction | None:
        """The first RUN that installed packages to a directory that the path lies in."""
        found = (self._packages.get(each) for each in directories(_unversioned(path)))
        return next((each for each in found if each), None)

    def is_filled(self, directory: str) -> bool:
        """Whether a copy went to the directory, or to a place in it or above it."""
        return directory in self._above_targets or any(each in self._targets for each in directories(directory))

    def matching(self, pattern: str) -> Iterator[str]:
        """The files known by their names that a pattern in the last part of a path finds, sorted."""
        files = self._files.get(dirname(pattern), [])
        start = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
        for path in islice(files, bisect_left(files, start), None):
            if not path.startswith(start):
                return
            if fnmatchcase(path, pattern):
                yield path


def _first(known: dict[str, Instruction], places: Iterable[str], instruction: Instruction) -> None:
    for place in places:
        known.setdefault(place, instruction)


def _unversioned(path: str) -> str:
    """The version of Python in a path cannot be known."""
    return re.sub(_PYTHON, "/python", path)
