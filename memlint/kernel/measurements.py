"""Reads what `memlint measure --format json` wrote on several nodes."""

from __future__ import annotations

import hashlib
import os
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


def read_measurements(paths: Sequence[str | os.PathLike[str]]) -> dict[str, Measurement]:
    """The measurements by the names of their nodes, in the given order. UsageError for a file that is none."""
    found: dict[str, Measurement] = {}
    known: dict[bytes, str] = {}
    for path, name in zip(paths, _names([os.fspath(path) for path in paths]), strict=True):
        where = os.fspath(path)
        content = read_content(where, _KIND)
        same = known.setdefault(hashlib.sha256(content).digest(), where)
        if same is not where or name in found:
            raise UsageError(f"{where}: is the same measurement as {same}", "give each node's measurement once")
        found[name] = decode_document(content, where, _KIND)
    return found


def _names(paths: Sequence[str]) -> list[str]:
    """The files' names, or the whole paths where two have one name: measurements are often DIR-OF-NODE/measure.json."""
    short = [os.path.basename(path).removesuffix(".json") for path in paths]
    return short if len(set(short)) == len(short) else list(paths)
