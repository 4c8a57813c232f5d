"""What a package database is to a layer, and what the databases' formats have in common."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from re import Pattern

import msgspec

from memlint.model.layer import Installed, Package

TEXT_LIMIT = 32 << 20
"""Bytes of one text database. The largest dpkg status and apk database seen in images are a few MB."""

_LINE_LIMIT = 1 << 16  # characters: no path and no field that we read is as long
_WORD_LIMIT = 255
_MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})

Chunks = Iterable[bytes | memoryview]


class UnreadableError(Exception):
    """A database file that is broken or larger than its limit. It never leaves this room."""


def read(chunks: Chunks, limit: int) -> bytes:
    """A copy of everything in `chunks`. UnreadableError as soon as it exceeds `limit` bytes."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > limit:
            raise UnreadableError
    return bytes(content)


class Database(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One format of package database.

    `paths` decides, and is tried where a path starts with one of `starts` or ends with one of `ends`.
    `keep` reduces a file's chunks, `limit` bytes at most, to what is kept of it, or raises UnreadableError.
    `owners` takes what was kept of a layer, by path, and yields (path, package) for paths among the wanted.
    `installed` takes the same and yields all packages.
    """

    paths: Pattern[str]
    owners: Callable[[Mapping[str, bytes], frozenset[str]], Iterator[tuple[str, Package]]]
    installed: Callable[[Mapping[str, bytes]], Iterator[Installed]]
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    limit: int = TEXT_LIMIT
    keep: Callable[[Chunks, int], bytes] = read


def text(content: bytes) -> Iterator[str]:
    """The lines of `content` with their ends, one at a time; only a line feed ends one. Absurd ones come in pieces."""
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8", "backslashreplace", newline="\n")
    return iter(partial(lines.readline, _LINE_LIMIT), "")


def paragraphs(lines: Iterable[str], names: frozenset[str]) -> Iterator[dict[str, str]]:
    """Of each paragraph of `Name: value` lines, as in deb822(5), the first lines of the fields `names`."""
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and name in names:
            fields[name] = value.strip()
        elif fields and not line.strip():
            yield fields
            fields = {}
    yield fields


def named(name: str, version: str, kind: str) -> Package | None:
    """The package, unless its name or version is no word that a package manager would write."""
    if all(0 < len(word) <= _WORD_LIMIT and word.isprintable() for word in (name, version)):
        return Package(name, version, kind)
    return None


def number(text: str, unit: int = 1) -> int | None:
    """A size that a database gives in units of `unit` bytes; None for what is no plausible number."""
    return int(text) * unit if text.isascii() and text.isdigit() and len(text) < 16 else None


def spelled(path: str, wanted: frozenset[str]) -> str | None:
    """How `wanted` spells `path`: as it is, or with `usr/` more or less where distributions merge /usr."""
    if path in wanted:
        return path
    return next((other for other in merged(path) if other in wanted), None)


def merged(path: str) -> tuple[str, ...]:
    """The other spelling of `path` where distributions merge /usr: with `usr/`, or without."""
    below = path.removeprefix("usr/")
    if below.partition("/")[0] not in _MERGED:
        return ()
    return (below if below != path else f"usr/{path}",)
