"""A store, as an engine's directories tell of it."""

from __future__ import annotations

import msgspec

from memlint.kernel.containers.asking import Left
from memlint.kernel.containers.interface import Around
from memlint.kernel.mounts import Mount


class Place(msgspec.Struct, frozen=True):
    """A store. `root` is where the engine has it, and `reached` where this process finds it.

    `model` is a storage model's name, None where memlint has none for the driver. `warnings` are what its own files
    give reason to.
    """

    engine: str
    driver: str
    root: str
    reached: str
    model: str | None
    options: dict[str, str] = {}
    warnings: tuple[str, ...] = ()


class Ground(msgspec.Struct, frozen=True):
    """What a container runs on."""

    runtime: str
    storage: str | None
    mount: Mount


class Asked(msgspec.Struct, frozen=True):
    """Where to look: the host's engines, and what containers that run are mounted from; the seconds that are left."""

    around: Around
    grounds: tuple[Ground, ...]
    left: Left

    def mounts(self, *runtimes: str) -> list[Mount]:
        """The root file systems of these runtimes' containers."""
        return [ground.mount for ground in self.grounds if ground.runtime in runtimes]


UNREADABLE = "unknown"
"""The driver of a store that this user may not read."""
