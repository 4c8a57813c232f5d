"""A Unix socket before the daemon's that remembers which HTTP paths were asked, and can hang up early."""

from __future__ import annotations

import re
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

_CHUNK = 1 << 16
_REQUEST = re.compile(rb"^[A-Z]+ (?:/v[\d.]+)?(/\S*) HTTP/1\.1\r$", re.MULTILINE)


class Recorder(socketserver.ThreadingUnixStreamServer):
    """Passes every byte on, both ways, but of a daemon's answers on one connection at most `limit` bytes."""

    daemon_threads = True

    def __init__(self, path: Path, upstream: Path, limit: int | None = None) -> None:
        super().__init__(str(path), _Connection)
        self.host = f"unix://{path}"
        self.upstream = str(upstream)
        self.limit = limit
        self.sent = bytearray()

    def asked(self) -> list[str]:
        """The paths of all requests so far, without the API's version."""
        return [path.decode() for path in _REQUEST.findall(bytes(self.sent))]

    def streams(self) -> list[str]:
        """Those of them that ask for images' contents."""
        return [path for path in self.asked() if re.match(r"/images/(\S+/)?get\b", path)]


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, Recorder)
        client: socket.socket = self.request
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(server.upstream)
            answers = Thread(target=_pump, args=(daemon, client), kwargs={"limit": server.limit}, daemon=True)
            answers.start()
            _pump(client, daemon, copy=server.sent)
            answers.join()


def _pump(
    source: socket.socket, sink: socket.socket, *, copy: bytearray | None = None, limit: int | None = None
) -> None:
    passed = 0
    try:
        while (data := source.recv(_CHUNK)) and (limit is None or passed < limit):
            passed += len(data)
            if copy is not None:
                copy += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR if not data else socket.SHUT_RDWR)
    except OSError:  # one side hung up in the middle, which is its right
        for end in (source, sink):
            end.close()


@contextmanager
def recording(path: Path, upstream: Path, limit: int | None = None) -> Iterator[Recorder]:
    """A running Recorder on the socket `path`."""
    with Recorder(path, upstream, limit) as recorder:
        Thread(target=recorder.serve_forever, daemon=True).start()
        try:
            yield recorder
        finally:
            recorder.shutdown()
