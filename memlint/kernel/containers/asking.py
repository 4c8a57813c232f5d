"""Asking the commands of engines, which may hang, be absent, or answer something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

_SECONDS = 5
_Answer = TypeVar("_Answer")


def said(command: Sequence[str]) -> bytes | None:
    """What a command prints; None where it is not there, fails, or takes longer than a few seconds."""
    import subprocess  # only where the files did not tell

    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def said_as(command: Sequence[str], kind: type[_Answer]) -> _Answer | None:
    """The same, read as JSON."""
    answer = said(command)
    try:
        return None if answer is None else msgspec.json.decode(answer, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
