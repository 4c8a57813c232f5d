"""Which file of which layer an overlay shows under a path (the kernel's filesystems/overlayfs.rst)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from memlint.kernel.origins import origin

Stack = tuple[tuple[int, str], ...]
"""A directory: the layers that have it, topmost first, each with the directory's path."""
_KEPT = 4096
"""Directories that are remembered of one overlay."""


class LayerFile(NamedTuple):
    """A regular file that holds data; layer 0 is the topmost."""

    layer: int
    path: str


class Overlay:
    """An overlay of directories, the topmost first; the last `data` of them are data-only layers."""

    def __init__(self, roots: Sequence[str], data: int, userxattr: bool) -> None:
        self._roots = tuple(roots)
        self._prefix = "user.overlay." if userxattr else "trusted.overlay."
        self._top: Stack = tuple(enumerate(self._roots))[: len(self._roots) - data]
        self._stack = lru_cache(_KEPT)(self._stack_of)

    def find(self, path: str) -> list[LayerFile]:
        """The file that is seen at `path` (without leading slash), then those of its name that it hides."""
        parent, _, name = path.rpartition("/")
        found = []
        for layer, real, status in self._named(self._stack(parent), name):
            if not stat.S_ISREG(status.st_mode):
                break
            if self._attribute(real, "metacopy") is None:
                found.append(LayerFile(layer, real))
        return found

    def hidden(self, path: str) -> list[LayerFile]:
        """The files of that path in all layers, whatever hides them: what a process may have mapped before."""
        stacks = ((number, self._walk(((number, root),), path)) for number, root in self._top)
        return [LayerFile(number, real) for number, real in stacks if real is not None]

    def copied(self, path: str) -> bool:
        """Whether a file of a layer, by its path there, is noted to be a copy of one below."""
        return self._attribute(path, "origin") is not None

    def origin(self, path: str) -> LayerFile | None:
        """The file below that it is a copy of, whatever that is called; None where that cannot be told."""
        found = origin(self._attribute(path, "origin") or b"", self._roots)
        return LayerFile(*found) if found is not None else None

    def _walk(self, stack: Stack, path: str) -> str | None:
        *parents, name = path.split("/")
        for parent in parents:
            stack = self._below(stack, parent)
        found = next(self._named(stack, name), None)
        return found[1] if found is not None and stat.S_ISREG(found[2].st_mode) else None

    def _stack_of(self, path: str) -> Stack:
        if not path:
            return self._top
        parent, _, name = path.rpartition("/")
        return self._below(self._stack(parent), name)

    def _below(self, stack: Stack, name: str) -> Stack:
        """The directories that merge into the one of this name in a directory."""
        found = []
        for layer, real, status in self._named(stack, name):
            if not stat.S_ISDIR(status.st_mode):
                break
            found.append((layer, real))
        return tuple(found)

    def _named(self, stack: Stack, name: str) -> Iterator[tuple[int, str, os.stat_result]]:
        """What the layers have under a name, down to where one says that those below have nothing to do with it."""
        parents = dict(stack)
        for layer in range(len(self._roots)):
            if layer not in parents:
                continue
            real = f"{parents[layer]}/{name}"
            status = _status(real)
            if status is None:
                continue
            if self._is_whiteout(parents[layer], real, status):
                return
            yield layer, real, status
            if stat.S_ISDIR(status.st_mode) and self._attribute(real, "opaque") == b"y":
                return
            redirect = os.fsdecode(self._attribute(real, "redirect") or b"")
            if redirect.startswith("/"):
                parent, _, name = redirect[1:].rpartition("/")
                parents = dict(self._from_top(layer, parent))
            elif redirect:
                name = redirect

    def _from_top(self, layer: int, path: str) -> Stack:
        """The directory at `path` as the layers below `layer` have it, those for data alone included."""
        stack: Stack = tuple(enumerate(self._roots))[layer + 1 :]
        for name in path.split("/") if path else ():
            stack = self._below(stack, name)
        return stack

    def _is_whiteout(self, parent: str, real: str, status: os.stat_result) -> bool:
        if stat.S_ISCHR(status.st_mode):
            return status.st_rdev == 0
        if not stat.S_ISREG(status.st_mode) or status.st_size or self._attribute(real, "whiteout") is None:
            return False
        return self._attribute(parent, "opaque") == b"x"

    def _attribute(self, path: str, name: str) -> bytes | None:
        try:
            return os.getxattr(path, self._prefix + name, follow_symlinks=False)
        except OSError:
            return None  # absent, or a file system without extended attributes


def _status(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None
