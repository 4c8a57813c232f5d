"""Runtimes whose cgroups bear the container's own name: LXC, systemd-nspawn, and builds of BuildKit."""

from __future__ import annotations

import re
from collections.abc import Mapping

from memlint.kernel.containers.asking import Left
from memlint.kernel.containers.interface import Around, Found, Named, Naming


class _ByCgroup:
    """The ID is the name; there is no image of layers."""

    def __init__(self, name: str, pattern: str) -> None:
        self.name = name
        self.pattern = re.compile(pattern)

    def states(self, _around: Around) -> Naming:
        return self._own

    def asked(self, _around: Around, _left: Left) -> Mapping[str, Named]:
        return {}

    def _own(self, found: Found) -> Named | None:
        return Named(found.identity.id) if found.identity.runtime == self.name else None


LXC = _ByCgroup("lxc", r"/lxc(?:/|\.payload[./])([^/]+)\Z")
NSPAWN = _ByCgroup("systemd-nspawn", r"/(?:systemd-nspawn@([^/]+)\.service|machine-([^/]+)\.scope)/payload\Z")
BUILDKIT = _ByCgroup("buildkit", r"/buildkit/([0-9a-z]{20,})\Z")
"""BuildKit runs each RUN that it builds in a container."""
