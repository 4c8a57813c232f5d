"""`memlint measure --record`."""

from __future__ import annotations

import argparse
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from memlint.cli.output import say, write_bytes
from memlint.errors import UsageError
from memlint.kernel.measuring import Observation
from memlint.kernel.profiles import encode_profile, read_profile
from memlint.kernel.recording import merge, profile, wholly
from memlint.kernel.unseen import as_root
from memlint.model.profile import Profile
from memlint.model.units import enumerated

_NAMED = 5
"""Containers that a line names."""


def check_record(arguments: argparse.Namespace) -> None:
    """UsageError for a look of which no container would be recorded as it is."""
    if arguments.sample != 1:
        raise UsageError(
            "--record needs to see all processes of a container, and --sample leaves some out", "leave --sample out"
        )


def record(seen: Observation, path: str) -> None:
    """Add the containers that were looked into wholly to a profile, and name those that were not. UsageError where
    there is nothing to add, or the file cannot be written: it is as it was then."""
    new = _recorded(seen, path)
    with _alone(path):
        known = [read_profile(path)] if os.path.exists(path) and os.path.getsize(path) else []
        write_bytes(encode_profile(merge([*known, new])), path)


def _recorded(seen: Observation, path: str) -> Profile:
    if not seen.sight.containers:
        hints = [each.hint for each in seen.sight.unseen if each.containers]
        hint = next(iter(hints), "record while the containers run")
        raise UsageError(f"{path}: nothing to record, as no container was seen", hint)
    if not seen.measurement.kernel.frames:
        raise UsageError(f"{path}: nothing to record, as no page frame could be seen", as_root())
    whole, others = wholly(seen.sight, seen.in_part)
    if not whole.containers:
        raise UsageError(
            f"{path}: nothing to record, as no container could be looked into wholly",
            "leave --max-seconds, --max-cpu and --pid out; without --record, memlint measure says what is not seen",
        )
    if others:
        names = enumerated([each.name or each.id[:12] for each in others], _NAMED)
        say(f"memlint: not recorded, as not all of their processes could be looked into: {names}")
    return profile(whole)


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """No other recording into this directory reads or replaces a profile meanwhile; a lock on it leaves no file."""
    try:
        directory = os.open(os.path.dirname(os.path.realpath(path)), os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})", "choose another file for it") from error
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
