"""The way to a Docker or Podman daemon, and its answers: whatever goes wrong there is a SourceError."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from memlint.errors import SourceError
from memlint.model.image import Reader

if TYPE_CHECKING:
    import docker

TIMEOUT = 600
_SOCKET = "/var/run/docker.sock"
_OTHER_CONTEXT = "docker context ls shows what there is; docker context use default goes back, DOCKER_HOST overrides it"


def connect() -> docker.DockerClient:
    """A client of the daemon that DOCKER_HOST, the current context or a well-known socket leads to."""
    import docker
    from docker.errors import DockerException

    try:
        if os.environ.get("DOCKER_HOST"):
            return docker.DockerClient.from_env(timeout=TIMEOUT, use_ssh_client=_is_ssh(os.environ["DOCKER_HOST"]))
        host, tls = _context()
        return docker.DockerClient(base_url=host, tls=tls, timeout=TIMEOUT, use_ssh_client=_is_ssh(host or ""))
    except (DockerException, OSError, ValueError) as error:
        raise _no_daemon(error) from error


def _context() -> tuple[str | None, Any]:
    """The endpoint of DOCKER_CONTEXT or the current context, else the first well-known socket there is."""
    from docker.context import ContextAPI
    from docker.context.config import get_current_context_name

    named = os.environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(named)
    except Exception as error:  # the docker package raises what a damaged file makes it stumble on
        raise SourceError(
            f"docker-daemon: the context {named or get_current_context_name()!r} cannot be read ({_first_line(error)})",
            _OTHER_CONTEXT,
        ) from error
    if context is None:
        raise SourceError(f"docker-daemon: there is no context {named or get_current_context_name()!r}", _OTHER_CONTEXT)
    if context.name != "default":
        return context.Host, context.TLSConfig or False
    runtime = os.environ.get("XDG_RUNTIME_DIR", "/run/user/0")
    sockets = (_SOCKET, f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock", "/run/podman/podman.sock")
    found = next((path for path in sockets if os.path.exists(path)), _SOCKET)
    return f"unix://{found}", False


def _is_ssh(host: str) -> bool:
    return host.startswith("ssh://")


def answer(ask: Callable[[], Any]) -> Any:
    """The daemon's answer; SourceError when it gives none. An absent image's error is the caller's."""
    import requests
    from docker.errors import APIError, DockerException, ImageNotFound

    try:
        return ask()
    except ImageNotFound:
        raise
    except APIError as error:
        raise SourceError(
            f"docker-daemon: the daemon answered: {_first_line(error.explanation or error)}",
            "check the name; the daemon's log may tell more",
        ) from error
    except (DockerException, requests.RequestException) as error:
        raise _no_daemon(error) from error


def _no_daemon(error: Exception) -> SourceError:
    asked = os.environ.get("DOCKER_HOST") or "the current context or the usual sockets"
    return SourceError(
        f"docker-daemon: no answer from {asked} ({_first_line(error)})",
        "start it or set DOCKER_HOST; without a daemon, give docker-archive:FILE or oci:DIR",
    )


def _first_line(error: object) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]


class AnswerStream:
    """The daemon's answer as a reader whose connection may break."""

    def __init__(self, raw: Reader) -> None:
        self._raw = raw

    def read(self, size: int = -1, /) -> bytes | None:
        with _unbroken():
            return self._raw.read(size)

    def readinto(self, target: memoryview, /) -> int | None:
        with _unbroken():
            return self._raw.readinto(target)

    def close(self) -> None:
        self._raw.close()


@contextmanager
def _unbroken() -> Iterator[None]:
    from urllib3.exceptions import HTTPError

    try:
        yield
    except HTTPError as error:
        raise SourceError(
            f"docker-daemon: the connection broke while the daemon sent images ({_first_line(error)})",
            "try again, or save them to a file with docker save, and give docker-archive:FILE",
        ) from error
