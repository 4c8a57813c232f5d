"""A Docker daemon's API, as far as memlint asks it, on a unix socket."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support import images


class Daemon:
    """What the daemon has, and `asked`: the paths that it was asked for, without their API version.

    `digests` are those that repositories have an image by, as `debian@sha256:…`, by its name.
    A stream is `cut` after so many bytes, or breaks off before those `promised`; `failing` paths give a
    status and a message. `containers` run, each of an image by its ID.
    """

    def __init__(self, socket: Path, specs: Sequence[images.Spec], driver: str) -> None:
        self.socket, self.specs, self.driver = socket, specs, driver
        self.asked: list[str] = []
        self.write: Callable[..., images.Files] = images.docker_25
        self.cut: int | None = None
        self.promised: int | None = None
        self.failing: dict[str, tuple[int, str]] = {}
        self.containers: dict[str, str] = {}
        self.status: list[list[str]] = [["Backing Filesystem", "extfs"]]
        self.digests: dict[str, tuple[str, ...]] = {}

    @property
    def host(self) -> str:
        """As DOCKER_HOST has it."""
        return f"unix://{self.socket}"

    @property
    def saves(self) -> list[str]:
        """The `images/get` calls."""
        return [path for path in self.asked if path.startswith("/images/get")]

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        url = urlsplit(path)
        route = "/" + url.path.lstrip("/").partition("/")[2] if url.path.startswith("/v1.") else url.path
        self.asked.append(route + (f"?{url.query}" if url.query else ""))
        if route in self.failing:
            status, message = self.failing[route]
            return status, images.encode({"message": message})
        if route == "/_ping":
            return 200, b"OK"
        if route == "/version":
            return 200, images.encode({"ApiVersion": "1.43", "MinAPIVersion": "1.12", "Version": "24.0.0"})
        if route == "/info":
            told = {"Driver": self.driver, "DockerRootDir": "/nonexistent", "DriverStatus": self.status}
            return 200, images.encode(told)
        if route == "/images/json":
            return 200, images.encode([self._listed(spec) for spec in self.specs])
        if route == "/containers/json":
            return 200, images.encode([{"Id": key, "ImageID": image} for key, image in self.containers.items()])
        if route == "/images/get":
            return self._save(parse_qs(url.query)["names"])
        if route.startswith("/images/") and route.endswith("/json"):
            return self._inspect(unquote(route.removeprefix("/images/").removesuffix("/json")))
        return 404, images.encode({"message": f"page not found: {route}"})

    def _find(self, name: str) -> images.Spec | None:
        return next((spec for spec in self.specs if name in self._names(spec)), None)

    def _names(self, spec: images.Spec) -> tuple[str, ...]:
        digest = images.digest(images.config_of(spec))
        return (spec.name, spec.name.removesuffix(":latest"), digest, *self.digests.get(spec.name, ()))

    def _listed(self, spec: images.Spec) -> dict[str, Any]:
        digests = list(self.digests.get(spec.name, ()))
        return {"Id": images.digest(images.config_of(spec)), "RepoTags": [spec.name], "RepoDigests": digests}

    def _inspect(self, name: str) -> tuple[int, bytes]:
        spec = self._find(name)
        if spec is None:
            return 404, images.encode({"message": f"No such image: {name}"})
        config = images.config_of(spec)
        found: dict[str, Any] = {
            "Id": images.digest(config),
            "RepoTags": [spec.name],
            "RepoDigests": list(self.digests.get(spec.name, ())),
            "Architecture": json.loads(config)["architecture"],
            "Os": json.loads(config)["os"],
            "Config": spec.config,
            "RootFS": {"Type": "layers", "Layers": json.loads(config)["rootfs"]["diff_ids"]},
            "GraphDriver": {"Name": self.driver, "Data": None},
        }
        return 200, images.encode(found)

    def _save(self, names: Sequence[str]) -> tuple[int, bytes]:
        specs = [spec for name in names if (spec := self._find(name)) is not None]
        return 200, images.tar(self.write(*specs))[: self.cut]


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def serving(socket: Path, *specs: images.Spec, driver: str = "overlay2") -> Iterator[Daemon]:
    """A daemon that has the images, while the block runs."""
    daemon = Daemon(socket, specs, driver)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            status, body = daemon.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            promised = daemon.promised if "/images/get" in self.path else None
            self.send_header("Content-Length", str(promised or len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
            """Quiet."""

    with _Server(str(socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield daemon
        finally:
            server.shutdown()
            thread.join()
