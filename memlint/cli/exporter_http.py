"""As much of HTTP/1.1 as Prometheus needs, with a bound on everything that a client could ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import msgspec

REQUEST_MAX = 16 * 1024
"""Bytes of a request's head; none has a body."""
PATIENCE = 5.0
"""Seconds in which a client must have sent its request, and again in which it must have taken the answer."""
CONNECTIONS_MAX = 32
"""At a time; more are turned away."""


class Request(msgspec.Struct, frozen=True):
    """A request's head; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class Answer(msgspec.Struct, frozen=True):
    """What a client gets."""

    status: HTTPStatus
    body: str
    content_type: str = "text/plain; charset=utf-8"


Respond = Callable[[Request], Awaitable[Answer]]


class Connections:
    """Answers one request on each connection, and closes it."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first byte to the end; whatever it does, it can neither stay nor break anything."""
        self._open += 1
        try:
            await self._exchange(reader, writer)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):  # cancelled at the end
            writer.transport.abort()
        finally:
            self._open -= 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open > CONNECTIONS_MAX:
            await _send(writer, Answer(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections\n"), body=True)
            return
        request = await _received(reader)
        if isinstance(request, Answer):
            await _send(writer, request, body=True)
        elif request.method not in ("GET", "HEAD"):
            await _send(writer, Answer(HTTPStatus.METHOD_NOT_ALLOWED, "GET or HEAD\n"), body=True)
        else:
            await _send(writer, await self._respond(request), body=request.method == "GET")


async def _received(reader: asyncio.StreamReader) -> Request | Answer:
    """The request, or the answer to what is none."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    except (TimeoutError, asyncio.TimeoutError):
        return Answer(HTTPStatus.REQUEST_TIMEOUT, "too slow\n")
    except asyncio.LimitOverrunError:
        return Answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too large\n")
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("hung up") from error
    return parse(head) or Answer(HTTPStatus.BAD_REQUEST, "this is no HTTP request\n")


def parse(head: bytes) -> Request | None:
    """A request's head, up to the empty line; None when it is none."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        return None
    pairs = [line.partition(":") for line in lines]
    if not all(colon and name and name == name.strip() for name, colon, _ in pairs):
        return None
    return Request(words[0], words[1].partition("?")[0], {name.lower(): value.strip() for name, _, value in pairs})


async def _send(writer: asyncio.StreamWriter, answer: Answer, *, body: bool) -> None:
    content = answer.body.encode("utf-8")
    allow = "Allow: GET, HEAD\r\n" if answer.status == HTTPStatus.METHOD_NOT_ALLOWED else ""
    head = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\nContent-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(content)}\r\n{allow}Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode("ascii") + (content if body else b""))
    await asyncio.wait_for(writer.drain(), PATIENCE)
    writer.close()
    await asyncio.wait_for(writer.wait_closed(), PATIENCE)
