"""`memlint exporter`: the real command, asked over HTTP by good clients and bad ones."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from support.command import MEMLINT, Memlint
from support.promtool import promtool

from memlint.cli.exporter import is_loopback
from memlint.cli.exporter_http import CONNECTIONS_MAX, PATIENCE, REQUEST_MAX, parse
from memlint.cli.exporter_options import address

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measuring needs Linux")


class Exporter:
    """The command, and where it serves."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url
        host, _, port = url.removeprefix("http://").rpartition(":")
        self.place = (host.strip("[]"), int(port))

    def get(self, path: str, *, timeout: float = 30, **headers: str) -> tuple[int, str, str]:
        """Status, type and text of an answer."""
        request = urllib.request.Request(self.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()

    def raw(self, sent: bytes) -> bytes:
        """What comes back for these bytes, until the exporter hangs up."""
        with socket.create_connection(self.place, timeout=PATIENCE + 10) as client:
            try:
                client.sendall(sent)
                return b"".join(iter(lambda: client.recv(65536), b""))
            except ConnectionError:
                return b""

    def metric(self, name: str) -> float:
        (value,) = re.findall(rf"^{name} (\S+)$", self.get("/metrics")[2], re.MULTILINE)
        return float(value)

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


@contextmanager
def serving(
    command: Memlint, *arguments: str, listen: str = "127.0.0.1:0", before: Sequence[str] = ()
) -> Iterator[Exporter]:
    process = subprocess.Popen(
        [*before, *MEMLINT, "exporter", "--listen", listen, *arguments],
        cwd=command.home,
        env=command.env(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        match = re.fullmatch(r"memlint: serving (http://\S+)/metrics\n", line)
        assert match, line
        yield Exporter(process, match[1])
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def exporter(command: Memlint) -> Iterator[Exporter]:
    with serving(command) as it:
        yield it


def test_metrics(exporter: Exporter) -> None:
    status, kind, text = exporter.get("/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert promtool("check", "metrics", stdin=text) == ""
    assert "memlint_exporter_last_look_success 1\n" in text
    assert exporter.metric("memlint_measure_timestamp_seconds") == pytest.approx(time.time(), abs=60)


def test_other_pages(exporter: Exporter) -> None:
    assert exporter.get("/-/healthy")[0] == 200
    status, kind, text = exporter.get("/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert 'href="/metrics"' in text
    assert exporter.get("/etc/passwd")[0] == 404
    assert exporter.get("/metrics?name=x")[0] == 200


def test_looking_begins_when_asked_and_not_before(exporter: Exporter) -> None:
    exporter.get("/-/healthy")
    assert exporter.threads() == 1
    assert exporter.metric("memlint_exporter_looks_total") == 1


def test_many_scrapes_are_one_look(exporter: Exporter) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: exporter.get("/metrics"), range(24)))
    assert {status for status, _, _ in answers} == {200}
    assert len({text for _, _, text in answers}) == 1
    assert exporter.metric("memlint_exporter_looks_total") == 1
    assert exporter.threads() <= 2


def test_started_nicer_than_it_would_make_itself(command: Memlint) -> None:
    """Without CAP_SYS_NICE nothing gets less nice again."""
    powerless = ("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice") if os.geteuid() == 0 else ()
    with serving(command, before=("nice", "-n", "15", *powerless)) as it:
        assert it.get("/metrics")[0] == 200
        assert it.metric("memlint_exporter_last_look_success") == 1


def test_after_the_interval_there_is_another_look(command: Memlint) -> None:
    with serving(command, "--interval", "0.5") as it:
        first = it.metric("memlint_measure_timestamp_seconds")
        time.sleep(0.6)
        assert it.metric("memlint_measure_timestamp_seconds") > first
        assert it.metric("memlint_exporter_looks_total") >= 2


def test_a_scrape_in_a_hurry_is_not_kept(exporter: Exporter) -> None:
    status, _, _ = exporter.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="0.1")
    assert status in (200, 503)
    assert exporter.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="nan")[0] == 200
    assert exporter.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="0.1")[0] == 200


def test_slow_clients_keep_nobody_waiting_and_are_sent_away(exporter: Exporter) -> None:
    exporter.get("/metrics")
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(exporter.place, timeout=30)) for _ in range(10)]
        for client in slow:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
        began = time.monotonic()
        assert exporter.get("/metrics")[0] == 200
        assert time.monotonic() - began < PATIENCE
        assert exporter.threads() <= 2
        stop = threading.Event()
        dripping = threading.Thread(target=drip, args=(slow[0], stop))
        dripping.start()
        answers = [client.recv(65536).split(b"\r\n")[0] for client in slow]
        stop.set()
        dripping.join()
        assert set(answers) == {b"HTTP/1.1 408 Request Timeout"}
        assert time.monotonic() - began < PATIENCE + 5


def drip(client: socket.socket, stop: threading.Event) -> None:
    """A byte now and then: a client whose every read is in time."""
    with suppress(OSError):
        while not stop.wait(0.3):
            client.sendall(b"x")


def test_clients_that_do_not_read(exporter: Exporter) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            client = stack.enter_context(socket.create_connection(exporter.place, timeout=30))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert exporter.get("/metrics")[0] == 200


def test_too_many_clients_are_turned_away_and_leave_no_trace(exporter: Exporter) -> None:
    with ExitStack() as stack:
        for _ in range(CONNECTIONS_MAX):
            stack.enter_context(socket.create_connection(exporter.place, timeout=30))
        time.sleep(0.3)
        assert exporter.get("/-/healthy")[0] == 503
    time.sleep(0.3)
    assert exporter.get("/-/healthy")[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", b"400"),
        (b"hello\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"400"),
        (b"GET http://x/metrics HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /metrics SMTP/1.1\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET /metrics HTTP/1.1\r\n folded: x\r\n\r\n", b"400"),
        (b"\xff\xfe /\x00 HTTP/1.1\r\n\r\n", b"405"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n", b"405"),
        (b"DELETE / HTTP/1.1\r\n\r\n", b"405"),
        (b"GET /" + b"a" * REQUEST_MAX + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * REQUEST_MAX + b"\r\n", b"431"),
        (b"GET / HTTP/1.0\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"200"),
    ],
)
def test_requests(exporter: Exporter, sent: bytes, status: bytes) -> None:
    answer = exporter.raw(sent)
    if answer or status != b"431":  # who is cut off in the middle of sending may not get to read why
        assert answer.split(b" ")[1] == status
        assert answer.count(b"HTTP/1.1 ") == 1
    assert exporter.get("/-/healthy")[0] == 200


def test_head(exporter: Exporter) -> None:
    head = exporter.raw(b"HEAD /-/healthy HTTP/1.1\r\n\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length: 28\r\n" in head


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_end(exporter: Exporter, number: signal.Signals) -> None:
    exporter.get("/metrics")
    with socket.create_connection(exporter.place) as client:
        client.sendall(b"GET /")
        exporter.process.send_signal(number)
        assert exporter.process.wait(10) == 0
    assert exporter.process.stderr is not None
    assert exporter.process.stderr.read() == ""
    with pytest.raises(ConnectionError):
        socket.create_connection(exporter.place)


def test_an_end_in_the_middle_of_a_look(command: Memlint) -> None:
    with serving(command, "--all") as it:
        with socket.create_connection(it.place) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            time.sleep(0.15)
            it.process.terminate()
            assert it.process.wait(10) == 0
        assert it.process.stderr is not None
        assert it.process.stderr.read() == ""


def test_ipv6(command: Memlint) -> None:
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")  # nothing that CI could install
    with serving(command, listen="[::1]:0") as it:
        assert it.url.startswith("http://[::1]:")
        assert it.get("/-/healthy")[0] == 200


def test_an_address_in_use(command: Memlint, exporter: Exporter) -> None:
    message, hint = command.refused("exporter", "--listen", f"127.0.0.1:{exporter.place[1]}")
    assert "cannot listen (Address already in use)" in message
    assert "another port" in hint


@pytest.mark.parametrize(
    "listen", ["9097", "localhost", "localhost:http", "1.2.3.4:65536", "::1:9097", "[::1]", "x:-1"]
)
def test_no_address(command: Memlint, listen: str) -> None:
    message, _ = command.refused("exporter", "--listen", listen)
    assert "is no address" in message


def test_a_name_that_is_none(command: Memlint) -> None:
    message, _ = command.refused("exporter", "--listen", "no-such-host.invalid:9097")
    assert "cannot listen" in message


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:9097", ("127.0.0.1", 9097)),
        ("[::1]:1", ("::1", 1)),
        (":80", ("", 80)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_addresses(text: str, place: tuple[str, int]) -> None:
    assert address(text) == place


def test_parse() -> None:
    request = parse(b"GET /metrics?x=1 HTTP/1.1\r\nHost: a:1\r\nX-A:  b \r\n\r\n")
    assert request is not None
    assert (request.method, request.path, request.headers) == ("GET", "/metrics", {"host": "a:1", "x-a": "b"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1"])
def test_addresses_of_this_host_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "fe80::1%eth0", "192.0.2.1"])  # noqa: S104
def test_addresses_that_others_reach(host: str) -> None:
    assert not is_loopback(host)


def test_whoever_serves_everybody_is_told(command: Memlint) -> None:
    with serving(command, listen="0.0.0.0:0") as it:
        assert it.process.stderr is not None
        said = it.process.stderr.readline()
    assert said == "memlint: warning: whoever reaches this address reads what runs here\n"
