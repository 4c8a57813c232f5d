"""Where a report goes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from memlint.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


STANDARD_OUTPUT = "-"
"""What a call names it by, where it could name a file."""


def write_output(text: str, path: str | None, *, aside: bool = False) -> None:
    """To standard output, or to a file that is whole or not there. UsageError when it cannot be written.

    `aside` takes standard error instead: standard output is for something else.
    """
    write_pieces((text,), path, aside=aside)


def write_pieces(pieces: Iterable[str], path: str | None, *, aside: bool = False) -> None:
    """The same for a text that need not be in memory as a whole."""
    if path is not None:
        _write_file((piece.encode("utf-8", "backslashreplace") for piece in pieces), path)
        return
    stream = sys.stderr if aside else _standard_output()
    encoding = stream.encoding or "utf-8"
    for piece in pieces:
        stream.write(piece.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def write_bytes(content: bytes, path: str | None) -> None:
    """The same, for what must arrive byte by byte."""
    if path is not None:
        _write_file((content,), path)
        return
    stream = _standard_output()
    stream.flush()
    stream.buffer.write(content)
    stream.buffer.flush()


def _standard_output() -> TextIO:
    if sys.stdout is None:  # it was closed before the start
        raise UsageError("standard output is closed", "open it, or write to a file with -o")
    return sys.stdout


def _write_file(pieces: Iterable[bytes], path: str) -> None:
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as device:
                device.writelines(pieces)
        else:
            replace_file(path, pieces)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})", "choose another file for it") from error


def say(message: str, hint: str | None = None) -> None:
    """One line on standard error, or two, with nothing in them that could steer a terminal.

    Where nobody can read it, the exit code alone tells.
    """
    for line in (message,) if hint is None else (message, f"  hint: {hint}"):
        shown = "".join(char if char.isprintable() else " " for char in line)
        encoding = sys.stderr.encoding or "utf-8"
        with suppress(OSError):
            sys.stderr.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def replace_file(path: str, pieces: Iterable[bytes]) -> None:
    """Write a file that is whole or as it was, with the owner and mode it had. OSError when that cannot be done."""
    import tempfile  # most calls write none

    path = os.path.realpath(path)
    status = os.stat(path) if os.path.exists(path) else None
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".memlint-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            if status is not None and (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fchmod(file.fileno(), 0o666 & ~umask() if status is None else status.st_mode & 0o7777)
            file.writelines(pieces)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def umask() -> int:
    """What files that are made are not to have of their modes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
