"""The lines of `/proc/PID/cgroup` → which container a process is in (cgroups(7): v1, v2, hybrid)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from memlint.kernel.containers.interface import Identity, Runtime

ID = "([0-9a-f]{64})"
_BARE = re.compile(f"/{ID}\\Z")


def cgroups_of(lines: str) -> tuple[str, ...]:
    """The paths in all hierarchies, each once: that of the unified one first, then systemd's."""
    fields = [line.split(":", 2) for line in lines.split("\n")]
    ranked = sorted((each for each in fields if len(each) == 3), key=_rank)
    return tuple(dict.fromkeys(path.removesuffix(" (deleted)") for _, _, path in ranked))


def _rank(fields: Sequence[str]) -> int:
    return 0 if fields[1] == "" else 1 if fields[1] == "name=systemd" else 2


class Identifying:
    """Knows a container by its cgroup. `watched` are containers that a supervisor tells of: (namespace, ID) → runtime.

    A path may name several containers, one inside of the other: the innermost counts.
    """

    def __init__(self, runtimes: Iterable[Runtime], watched: Mapping[tuple[str, str], str]) -> None:
        self._patterns = [(runtime.name, runtime.pattern) for runtime in runtimes]
        self._watched = watched
        self._by_id = {name: runtime for (_, name), runtime in watched.items()}
        self._known: dict[str, Identity | None] = {}

    def among(self, cgroups: Iterable[str]) -> Identity | None:
        """The container of a process in these cgroups: the one whose path is deepest in its hierarchy."""
        found = [each for path in cgroups if (each := self._of(path)) is not None]
        return max(found, key=lambda identity: identity.cgroup.count("/"), default=None)

    def _of(self, path: str) -> Identity | None:
        if path not in self._known:
            self._known[path] = self._innermost(path)
        return self._known[path]

    def _innermost(self, path: str) -> Identity | None:
        while path and path != "/":
            if (found := self._at(path)) is not None:
                return found
            path = path.rpartition("/")[0]
        return None

    def _at(self, path: str) -> Identity | None:
        for runtime, pattern in self._patterns:
            if match := pattern.search(path):
                return Identity(runtime, next(filter(None, match.groups())), path)
        namespace, _, name = path.rpartition("/")
        watched = self._watched.get((namespace.rpartition("/")[2], name))
        if watched is not None:
            return Identity(watched, name, path)
        if match := _BARE.search(path):
            return Identity(self._by_id.get(match[1], ""), match[1], path)
        return None
