"""Reads what `memlint measure --format json` wrote on several nodes."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence

from memlint.errors import UsageError
from memlint.model.measure import SCHEMA, Measurement
from memlint.sources.document import Kind, decode_document, read_content

_KIND = Kind(
    Measurement,
    SCHEMA,
    "measurement",
    "give files that `memlint measure --format json --output-file FILE` wrote, one for each node",
    max_bytes=2**30,
)


NodeFile = str | os.PathLike[str] | tuple[str, str | os.PathLike[str]]
"""A node's file, alone or behind the node's name."""


def read_measurements(files: Sequence[NodeFile]) -> dict[str, Measurement]:
    """The measurements by the names of their nodes, in the given order. UsageError for a file that is none."""
    found: dict[str, Measurement] = {}
    known: dict[bytes, str] = {}
    for name, where in _named(files):
        content = read_content(where, _KIND)
        same = known.setdefault(hashlib.sha256(content).digest(), where)
        if same is not where:
            raise UsageError(f"{where}: is the same measurement as {same}", "give each node's measurement once")
        if name in found:
            raise UsageError(f"{where}: another node is called {name}, too", "call it otherwise: NAME=FILE")
        found[name] = decode_document(content, where, _KIND)
    return found


def _named(files: Sequence[NodeFile]) -> list[tuple[str, str]]:
    """Each file with the name it was given, else its own, or the whole path where two have one name: measurements are
    often DIR-OF-NODE/measure.json."""
    pairs = [each if isinstance(each, tuple) else ("", each) for each in files]
    paths = [(given, os.fspath(path)) for given, path in pairs]
    names = [given or os.path.basename(path).removesuffix(".json") for given, path in paths]
    times = Counter(names)
    return [
        (name if given or times[name] == 1 else path, path) for name, (given, path) in zip(names, paths, strict=True)
    ]
