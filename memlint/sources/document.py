"""Reads JSON documents that memlint wrote and a user hands back: profiles, measurements, plans, baselines."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from memlint.errors import UsageError

T = TypeVar("T")


class Kind(msgspec.Struct, Generic[T], frozen=True):
    """A kind of document. A file of more than `max_bytes` is none; without `schema`, none is asked for.

    `name` is what people call it; `hint` says how to get one.
    """

    type: type[T]
    schema: str | None
    name: str
    hint: str
    max_bytes: int = 256 * 2**20


class _Versioned(msgspec.Struct):
    schema: str


def read_document(path: str, kind: Kind[T]) -> T:
    """The document in a file. UsageError where there is none, or one of another kind or version."""
    return decode_document(read_content(path, kind), path, kind)


def read_content(path: str, kind: Kind[T]) -> bytes:
    """A file's bytes, read once and from its start to its end, so that a pipe will do."""
    try:
        with open(path, "rb") as file:
            content = file.read(kind.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise UsageError(f"{path}: cannot be read ({reason})", kind.hint) from error
    if len(content) > kind.max_bytes:
        most = f"{kind.max_bytes // 2**20} MiB"
        raise UsageError(f"{path}: is larger than a {kind.name} can be ({most})", kind.hint)
    return content


def decode_document(content: bytes, path: str, kind: Kind[T]) -> T:
    """The document that these bytes are; `path` is for the error."""
    try:
        schema = msgspec.json.decode(content, type=_Versioned).schema if kind.schema is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: is no {kind.name} ({error})", kind.hint) from error
    if schema != kind.schema:
        other = f"it is {(schema or '')[:80]}, not {kind.schema}"
        raise UsageError(f"{path}: is no {kind.name} that this memlint reads: {other}", kind.hint)
    try:
        return msgspec.json.decode(content, type=kind.type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(path, kind, error) from error


def damaged(path: str, kind: Kind[T], reason: object) -> UsageError:
    """What to raise for a document that says what none can say."""
    return UsageError(f"{path}: is no {kind.name}, or damaged ({reason})", kind.hint)
