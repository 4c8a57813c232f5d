"""What a build upon an image inherits of its config, beside its layers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from memlint.model.image import Settings

_ROOT = frozenset({"", "0", "root", "0:0", "root:root", "0:root", "root:0"})
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What builders set where nothing else is set."""
_USER = re.compile(r"(?:/bin/sh -c #\(nop\) +)?USER +(?:\[(?P<listed>[^\]]*)\]|(?P<plain>.+?))(?: # buildkit)?\s*")


class ContainerConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """The config's `config`: what a container starts, and what a build upon the image inherits."""

    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    env: list[str] | None = None
    working_dir: str | None = None
    user: str | None = None
    on_build: list[str] | None = None
    shell: object = None
    stop_signal: object = None
    healthcheck: object = None
    exposed_ports: object = None
    volumes: object = None
    labels: object = None


def settings_of(config: ContainerConfig) -> Settings:
    """What the config sets, by name."""
    return tuple(sorted(_named(config)))


def _named(config: ContainerConfig) -> Iterator[tuple[str, str]]:
    for name, value in (
        ("Entrypoint", config.entrypoint),
        ("Cmd", config.cmd),
        ("Shell", config.shell),
        ("OnBuild", config.on_build),
        ("StopSignal", config.stop_signal),
        ("Healthcheck", config.healthcheck),
    ):
        if value:
            yield name, _text(value)
    if plain_user(config.user):
        yield "User", plain_user(config.user)
    if config.working_dir not in (None, "", "/"):
        yield "WorkingDir", str(config.working_dir)
    for each in config.env or ():
        if each != _PATH:
            name, _, value = each.partition("=")
            yield f"Env {name}", value
    for kind, values in (("Port", config.exposed_ports), ("Volume", config.volumes), ("Label", config.labels)):
        for key, value in values.items() if isinstance(values, Mapping) else ():
            yield f"{kind} {key}", value if isinstance(value, str) else ""


def plain_user(user: str | None) -> str:
    """A user as a config or a Dockerfile names it; "" for root."""
    name = (user or "").strip().strip("\"'")
    return "" if name in _ROOT else name


def users_of(history: Iterable[str]) -> tuple[str, ...]:
    """The users that the entries of a history set, the oldest first; "" for root."""
    found: Sequence[re.Match[str]] = [match for entry in history if (match := _USER.fullmatch(entry.strip()))]
    return tuple(plain_user(match["listed"] or match["plain"]) for match in found)


def _text(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
