"""Where a report goes."""

from __future__ import annotations

import os
import sys
import tempfile

from memlint.errors import UsageError


def write_output(text: str, path: str | None) -> None:
    """To standard output, or to a file that is whole or not there. UsageError when it cannot be written."""
    if path is None:
        sys.stdout.write(
            text.encode(sys.stdout.encoding or "utf-8", "backslashreplace").decode(sys.stdout.encoding or "utf-8")
        )
        sys.stdout.flush()
        return
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "w", encoding="utf-8") as device:
                device.write(text)
        else:
            _replace(path, text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})", "choose another file for -o") from error


def _replace(path: str, text: str) -> None:
    path = os.path.realpath(path)
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~_umask()
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".memlint-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
