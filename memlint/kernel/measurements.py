"""Reads what `memlint measure --format json` wrote on several nodes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import msgspec

from memlint.errors import UsageError
from memlint.model.measure import SCHEMA, Measurement

_BYTES_MAX = 2**30
_HINT = "give files that `memlint measure --format json --output-file FILE` wrote, one for each node"


class _Versioned(msgspec.Struct):
    schema: str = ""


def read_measurements(paths: Sequence[str | os.PathLike[str]]) -> dict[str, Measurement]:
    """The measurements by the names of their nodes, in the given order. UsageError for a file that is none."""
    found: dict[str, Measurement] = {}
    known: dict[bytes, str] = {}
    for path, name in zip(paths, _names([os.fspath(path) for path in paths]), strict=True):
        where = os.fspath(path)
        content = _content(where)
        same = known.setdefault(hashlib.sha256(content).digest(), where)
        if same is not where or name in found:
            raise UsageError(f"{where}: is the same measurement as {same}", "give each node's measurement once")
        found[name] = _measurement(content, where)
    return found


def _names(paths: Sequence[str]) -> list[str]:
    """The files' names, or the whole paths where two have one name: measurements are often DIR-OF-NODE/measure.json."""
    short = [os.path.basename(path).removesuffix(".json") for path in paths]
    return short if len(set(short)) == len(short) else list(paths)


def _content(path: str) -> bytes:
    """A pipe will do: the shell has `<(…)` for what another command prints."""
    try:
        with open(path, "rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})", _HINT) from error
    if len(content) > _BYTES_MAX:
        raise UsageError(f"{path}: is longer than a measurement can be", _HINT)
    return content


def _measurement(content: bytes, path: str) -> Measurement:
    try:
        schema = msgspec.json.decode(content, type=_Versioned).schema
    except msgspec.ValidationError:
        schema = ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON ({error})", _HINT) from error
    if schema != SCHEMA:
        raise UsageError(f"{path}: {_other(schema)}", _HINT)
    try:
        return msgspec.json.decode(content, type=Measurement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: says that it is {SCHEMA}, and is not ({error})", _HINT) from error


def _other(schema: str) -> str:
    if not schema:
        return "is no output of memlint measure"
    if schema.rpartition("/")[0] == SCHEMA.rpartition("/")[0]:
        return f"is {schema}, of another version of memlint; this one reads {SCHEMA}"
    return f"is {schema[:80]}, not {SCHEMA}"
