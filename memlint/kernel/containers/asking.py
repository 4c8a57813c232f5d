"""Asking engines, by their commands and sockets: they may hang, be absent, answer without end, or something else."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec

from memlint.kernel.host import DOCUMENT_MAX

SECONDS = 5.0
"""For one question, up to the last byte of its answer."""
_CHUNK = 1 << 16
_Answer = TypeVar("_Answer")

Left = Callable[[], float]
"""The seconds that one question may take now."""


def said(command: Sequence[str], left: Left) -> bytes | None:
    """What a command prints; None where it is not there, fails, says too much or takes too long."""
    import subprocess  # only where the files did not tell

    end, null = _end(left), subprocess.DEVNULL
    if end <= time.monotonic():
        return None
    output, given = os.pipe()
    try:
        process = subprocess.Popen(command, stdin=null, stdout=given, stderr=null, start_new_session=True)
    except OSError:
        os.close(output)
        return None
    finally:
        os.close(given)
    try:
        answer = received(output, end)
        return answer if process.wait(max(end - time.monotonic(), 0)) == 0 else None
    except subprocess.TimeoutExpired:
        return None
    finally:
        os.close(output)
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it started
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)


def said_as(command: Sequence[str], kind: type[_Answer], left: Left) -> _Answer | None:
    """The same, read as JSON."""
    return _read(said(command, left), kind)


def told(path: str, question: str, kind: type[_Answer], left: Left) -> _Answer | None:
    """What an HTTP server on a unix socket answers with success, read as JSON; else None, as `said`."""
    end = _end(left)
    if end <= time.monotonic():
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, suppress(OSError):
        client.settimeout(max(end - time.monotonic(), 0.001))
        client.connect(path)
        client.sendall(f"GET {question} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = (received(client.fileno(), end) or b"").partition(b"\r\n\r\n")
        return _read(body, kind) if head.split(b" ", 2)[1:2] == [b"200"] else None
    return None


def received(descriptor: int, end: float) -> bytes | None:
    """All that comes, up to its end; None where that takes longer than to `end`, or is more than a document may be."""
    poll, left = select.poll(), DOCUMENT_MAX
    parts: list[bytes] = []
    poll.register(descriptor, select.POLLIN)
    while (seconds := end - time.monotonic()) > 0 and left >= 0 and poll.poll(seconds * 1000):
        part = os.read(descriptor, _CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)
        left -= len(part)
    return None


def _end(left: Left) -> float:
    return time.monotonic() + min(SECONDS, left())


def _read(answer: bytes | None, kind: type[_Answer]) -> _Answer | None:
    try:
        return None if answer is None else msgspec.json.decode(answer, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
