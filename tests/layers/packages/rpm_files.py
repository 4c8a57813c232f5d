"""rpm databases, written by an encoder that knows nothing of our reader."""

from __future__ import annotations

import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path

DATABASE = "var/lib/rpm/rpmdb.sqlite"
TABLE = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"

STRING, STRINGS, INT32 = 6, 8, 4
Values = dict[int, tuple[int, list[str] | list[int]]]


def header(values: Values) -> bytes:
    """A package header with these tags: (type, values)."""
    index, store = b"", b""
    for tag, (kind, items) in values.items():
        store += bytes(-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), len(items))
        store += b"".join(struct.pack(">I", i) if isinstance(i, int) else i.encode() + b"\0" for i in items)
    return struct.pack(">II", len(values), len(store)) + index + store


def package(name: str, directories: list[str], files: list[tuple[int, str]], epoch: int | None = None) -> Values:
    values: Values = {
        1000: (STRING, [name]),
        1001: (STRING, ["1.4"]),
        1002: (STRING, ["3.fc40"]),
        1116: (INT32, [directory for directory, _ in files]),
        1117: (STRINGS, [base for _, base in files]),
        1118: (STRINGS, directories),
    }
    return values if epoch is None else values | {1003: (INT32, [epoch])}


def database(*values: object, schema: str = TABLE) -> bytes:
    """The file of a database with these values in the second column of its Packages."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "made")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.executescript(schema)
            for value in values:
                connection.execute("INSERT INTO Packages VALUES (NULL, ?)", (value,))
        return file.read_bytes()
