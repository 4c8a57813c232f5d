"""Host paths as this process can open them, whatever mount namespace they are meant in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from memlint.kernel.mounts import Mount
from memlint.kernel.overlay import Overlay
from memlint.kernel.overlay_options import OverlayOptions, overlay_options

_LINKS = 40
"""Symbolic links that are followed on one path, as the kernel does."""


class Layers:
    """The layers of an overlay: opened through `view`, under which their paths are those of the host."""

    def __init__(self, view: str, options: OverlayOptions, roots: Sequence[str]) -> None:
        self.view, self.has_upper = view, options.upper is not None
        self.overlay = Overlay([(view + root).rstrip("/") for root in roots], len(options.data), options.userxattr)


def layers(mount: Mount, views: Iterable[str], points: Iterable[str]) -> Layers | None:
    """The layers of an overlay mount; None where they cannot be reached.

    `views` are what may be put before a path to see it as whoever mounted the overlay saw it. Container engines mount
    with paths relative to a directory above the mount or the upper directory: `points` are where else it is mounted.
    """
    options = overlay_options(mount.options)
    named = [*([options.upper] if options.upper is not None else []), *options.lower, *options.data]
    for view in views:
        for base in _bases(options, (mount.point, *points)):
            roots = [resolved(view, os.path.join(base, name)) for name in named]
            known = [root for root in roots if root is not None]
            if named and len(known) == len(named):
                return Layers(view, options, known)
    return None


def resolved(view: str, path: str) -> str | None:
    """The directory at `path` without symbolic links, which are followed inside of `view`; None where there is none."""
    left, done, links = path.split("/")[::-1], "", 0
    while left:
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            done = done.rpartition("/")[0]
            continue
        try:
            target = os.readlink(f"{view}{done}/{name}")
        except OSError:  # no link
            done += "/" + name
            continue
        links += 1
        if links > _LINKS:
            return None
        done = "" if target.startswith("/") else done
        left += target.split("/")[::-1]
    return (done or "/") if os.path.isdir(f"{view}{done}/") else None


def _bases(options: OverlayOptions, points: Iterable[str]) -> Iterable[str]:
    """Directories that relative names may start from; any will do where all names are absolute."""
    if all(name.startswith("/") for name in (options.upper or "/", *options.lower, *options.data)):
        return ["/"]
    known = [*points, *(name for name in (options.upper, *options.lower) if name is not None and name.startswith("/"))]
    return dict.fromkeys(above for path in known for above in _above(path))


def _above(path: str) -> Iterable[str]:
    while path not in ("", "/"):
        path = os.path.dirname(path)
        yield path
