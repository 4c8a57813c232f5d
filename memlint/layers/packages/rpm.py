"""Fedora, RHEL, SUSE and their kin: rpm's SQLite database, whose rows are package headers.

A header, by rpm's manual "Package format", numbers big-endian: how many entries, how many bytes of store,
the entries (tag, type, offset in the store, how many values), the store.
"""

from __future__ import annotations

import contextlib
import re
import struct
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memlint.errors import LayerError
from memlint.layers.packages.apk import installed, owners
from memlint.layers.packages.database import TEXT_LIMIT, Chunks, Database, UnreadableError, read

if TYPE_CHECKING:
    import sqlite3

DATABASE_LIMIT = 1 << 30
"""Bytes of the database, which pass through a temporary file."""

HEADER_LIMIT = 16 << 20
"""Bytes of one package's header; the largest known, of kernels and documentation, are a few MB."""

_STEPS = 10_000_000  # of SQLite's virtual machine, under ten per package: only a looping B-tree gets here
_NAME, _VERSION, _RELEASE, _EPOCH, _OLD_NAMES = 1000, 1001, 1002, 1003, 1027
_DIR_INDEXES, _BASENAMES, _DIRNAMES = 1116, 1117, 1118
_SIZE, _PROVIDES, _REQUIRES, _RECOMMENDS = 1009, 1047, 1049, 5046
_TAGS = frozenset({_NAME, _VERSION, _RELEASE, _EPOCH, _OLD_NAMES, _DIR_INDEXES, _BASENAMES, _DIRNAMES}) | {
    *(_SIZE, _PROVIDES, _REQUIRES, _RECOMMENDS)
}

# A plain SELECT runs no SQL of the schema's but through views, virtual tables and computed columns.
_PLAIN = re.compile(r"CREATE (?:TABLE|INDEX|UNIQUE INDEX)\b(?!.*\bAS\b)", re.DOTALL | re.IGNORECASE)


class _Header:
    """The values of the tags that we ask for. An offset or a count that lies gives fewer values, no error."""

    def __init__(self, blob: bytes) -> None:
        entries, size = struct.unpack_from(">II", blob) if len(blob) >= 8 else (0, 0)
        store = 8 + 16 * entries
        if not entries or store + size > len(blob):
            raise UnreadableError
        self._store = blob[store : store + size]
        index = struct.iter_unpack(">IIII", memoryview(blob)[8:store])
        self._index = {tag: (offset, count) for tag, _, offset, count in index if tag in _TAGS}

    def strings(self, tag: int) -> Iterator[bytes]:
        offset, count = self._index.get(tag, (0, 0))
        for _ in range(count):
            end = self._store.find(b"\0", offset)
            if end < 0:
                return
            yield self._store[offset:end]
            offset = end + 1

    def integers(self, tag: int) -> Iterator[int]:
        offset, count = self._index.get(tag, (0, 0))
        values = self._store[offset : offset + 4 * count]
        return (value for (value,) in struct.iter_unpack(">I", values[: len(values) // 4 * 4]))


def _listing(blob: bytes) -> Iterator[bytes]:
    """A package in the lines of an apk database, which splits paths into directory and name as headers do."""
    header = _Header(blob)
    name, version, release = (next(header.strings(tag), b"") for tag in (_NAME, _VERSION, _RELEASE))
    if not (name and version and release):
        raise UnreadableError
    epoch = next((b"%d:" % value for value in header.integers(_EPOCH)), b"")
    yield b"P:%s\nV:%s%s-%s\n" % (name, epoch, version, release)
    yield from (b"I:%d\n" % value for value in header.integers(_SIZE))
    for key, tag in ((b"D", _REQUIRES), (b"p", _PROVIDES), (b"W", _RECOMMENDS)):
        # conditions in parentheses are rich dependencies and rpm's own features; names hold no spaces
        names = {each for each in header.strings(tag) if b" " not in each and not each.startswith((b"(", b"rpmlib("))}
        yield b"%s:%s\n" % (key, b" ".join(sorted(names)))
    for path in header.strings(_OLD_NAMES):
        yield b"R:%s\n" % path.lstrip(b"/")
    directories = list(header.strings(_DIRNAMES))
    inside = -1
    for directory, base in zip(header.integers(_DIR_INDEXES), header.strings(_BASENAMES), strict=False):
        if directory >= len(directories):
            raise UnreadableError
        if directory != inside:
            yield b"F:%s\n" % directories[directory].strip(b"/")
            inside = directory
        yield b"R:%s\n" % base


def _headers(database: sqlite3.Connection, size: int) -> Iterator[bytes]:
    """The blob of each package, of a database of `size` bytes. It trusts neither its schema nor its pages."""
    database.set_progress_handler(lambda: 1, _STEPS)
    database.execute("PRAGMA trusted_schema=OFF")
    database.execute("PRAGMA query_only=ON")
    schema = database.execute("SELECT CAST(sql AS TEXT) FROM sqlite_master WHERE sql IS NOT NULL")
    if not all(_PLAIN.match(sql) for (sql,) in schema):
        raise UnreadableError
    rows = database.execute(
        "SELECT blob FROM Packages WHERE typeof(blob) = 'blob' AND length(blob) <= ?", (HEADER_LIMIT,)
    )
    for (blob,) in rows:
        size -= len(blob)
        if size < 0:
            raise UnreadableError
        yield blob


@contextlib.contextmanager
def _temporary_space() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"the rpm database does not fit into the temporary directory: {error.strerror}"
        raise LayerError(message, "set TMPDIR to a directory with more space") from error


def _keep(chunks: Chunks, limit: int) -> bytes:
    import sqlite3
    import tempfile

    with contextlib.ExitStack() as stack:
        with _temporary_space():
            file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="memlint-"))
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise UnreadableError
            with _temporary_space():
                file.write(chunk)
        with _temporary_space():
            file.flush()
        try:
            uri = f"{Path(file.name).as_uri()}?mode=ro&immutable=1"
            database = stack.enter_context(contextlib.closing(sqlite3.connect(uri, uri=True)))
            if sys.version_info >= (3, 11):
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, HEADER_LIMIT)
            return read((line for blob in _headers(database, size) for line in _listing(blob)), TEXT_LIMIT)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter: SQLite's message quotes a damaged schema
            raise UnreadableError from error


RPM = Database(
    starts=("var/lib/rpm/", "usr/lib/sysimage/rpm/"),
    paths=re.compile(r"(?:var/lib|usr/lib/sysimage)/rpm/rpmdb\.sqlite"),
    limit=DATABASE_LIMIT,
    keep=_keep,
    owners=partial(owners, "rpm"),
    installed=partial(installed, "rpm"),
)
