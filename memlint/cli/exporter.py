"""`memlint exporter`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import ipaddress
import math
import os
import signal
import socket
import sys
import time
from functools import partial
from http import HTTPStatus

from memlint import __version__
from memlint.cli.exporter_http import REQUEST_MAX, Answer, Connections, Request
from memlint.cli.exporter_looks import Looks
from memlint.cli.output import say
from memlint.errors import UsageError
from memlint.kernel.contents import Remembered
from memlint.kernel.measuring import Question, observe, require_linux
from memlint.kernel.patience import Silent
from memlint.report.measure.exposition import CONTENT_TYPE, Family, Sample, exposition
from memlint.report.measure.prometheus import to_prometheus

_PATIENCE = 9.0
"""Seconds that a scrape waits for a look when it does not say how long it may; Prometheus' default is ten."""
_MARGIN = 0.5
_BACKLOG = 64
_INDEX = f"""\
<!doctype html>
<title>memlint exporter</title>
<h1>memlint exporter</h1>
<p>Version {__version__}. What this host's containers hold in RAM, and what of it twice: <a href="/metrics">metrics</a>.
"""


def exporter(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    require_linux()
    question = Question(
        everything=arguments.all,
        sample=arguments.sample,
        max_seconds=arguments.max_seconds,
        max_cpu_seconds=arguments.max_cpu,
        max_mapping=arguments.max_mapping,
    )
    looks = Looks(partial(_look, question, Remembered(), Silent()), arguments.interval)
    sockets = _listening(*arguments.listen)
    asyncio.run(_serve(sockets, looks))
    return 0


def _look(question: Question, remembered: Remembered, silent: Silent) -> str:
    try:
        return to_prometheus(observe(question, remembered, silent).measurement, time.time())
    except Exception as error:
        say(f"memlint: looking failed: {error}")
        raise


def _listening(host: str, port: int) -> list[socket.socket]:
    """A socket for the address; both families where it is all addresses. UsageError when it cannot be had."""
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        both = not host and socket.has_dualstack_ipv6()
        family, _, _, _, at = next(each for each in found if not both or each[0] == socket.AF_INET6)
        return [socket.create_server(at[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=both)]
    except OSError as error:
        hints = {
            errno.EADDRINUSE: "another program serves there, perhaps another memlint exporter: choose another port",
            errno.EACCES: "ports below 1024 need root: choose another port",
        }
        hint = hints.get(error.errno or 0, "choose another address with --listen, for example 127.0.0.1:9097")
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise UsageError(f"{shown}: cannot listen ({why})", hint) from error


async def _serve(sockets: list[socket.socket], looks: Looks) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    connections = Connections(_Pages(looks).respond)
    servers = [await asyncio.start_server(connections.serve, sock=each, limit=REQUEST_MAX) for each in sockets]
    for each in sockets:
        say(f"memlint: serving http://{_shown(each.getsockname())}/metrics")
        if not is_loopback(each.getsockname()[0]):
            say(
                "memlint: warning: whoever reaches this address reads what runs here",
                "serve on 127.0.0.1, or let a firewall or a proxy that asks for a password stand before it",
            )
    sys.stderr.flush()
    await stop.wait()
    for server in servers:
        server.close()


def is_loopback(host: str) -> bool:
    """Whether an address that a socket has is reached from this host alone."""
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


def _shown(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Pages:
    """What there is at which path."""

    def __init__(self, looks: Looks) -> None:
        self._looks = looks

    async def respond(self, request: Request) -> Answer:
        if request.path == "/metrics":
            return await self._metrics(request)
        if request.path == "/-/healthy":
            return Answer(HTTPStatus.OK, "memlint exporter is healthy\n")
        if request.path == "/":
            return Answer(HTTPStatus.OK, _INDEX, "text/html; charset=utf-8")
        return Answer(HTTPStatus.NOT_FOUND, "there are /metrics and /-/healthy\n")

    async def _metrics(self, request: Request) -> Answer:
        look = await self._looks.latest(_patience(request))
        if look is None:
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "the first look has not ended yet\n")
        own = exposition(own_metrics(self._looks.ended, self._looks.failed, failing=look.error is not None))
        return Answer(HTTPStatus.OK, look.metrics + own, CONTENT_TYPE)


def _patience(request: Request) -> float:
    """What Prometheus says of its time limit, less what the way takes."""
    try:
        given = float(request.headers.get("x-prometheus-scrape-timeout-seconds", ""))
    except ValueError:
        return _PATIENCE
    return _PATIENCE if math.isnan(given) else min(max(given - _MARGIN, 0.0), 60.0)


def own_metrics(ended: int, failed: int, *, failing: bool) -> list[Family]:
    """What the exporter says of itself: looks that ended, those of them that failed, and whether the last one did."""
    success = Sample(int(not failing))
    return [
        Family("memlint_exporter_last_look_success", "1 if the last look gave an answer, else 0.", (success,)),
        Family("memlint_exporter_looks_total", "Looks that ended.", (Sample(ended),), "counter"),
        Family("memlint_exporter_look_failures_total", "Looks that gave no answer.", (Sample(failed),), "counter"),
    ]
