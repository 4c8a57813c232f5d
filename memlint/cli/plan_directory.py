"""The directory that a plan is written to: whole or not at all, and nothing outside of it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping

from memlint.errors import UsageError

_HINT = "name a directory that does not exist yet, or is empty"


def check_directory(directory: str, *, force: bool) -> None:
    """UsageError when a plan cannot be written there; asked before anything costs time."""
    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise UsageError(f"{directory}: is no directory", _HINT)
    parent = os.path.dirname(os.path.abspath(directory))
    if not os.path.isdir(parent):
        raise UsageError(f"{parent}: there is no such directory", "make it, or choose another one")
    if os.path.isdir(directory) and os.listdir(directory) and not force:
        raise UsageError(f"{directory}: is not empty", "choose another one, or overwrite what is in it with --force")


def write_directory(directory: str, files: Mapping[str, str], executable: Collection[str], *, force: bool) -> None:
    """Write all files below the directory. With `force` it may have others, of which those of these names go."""
    check_directory(directory, force=force)
    place = os.path.realpath(directory)
    try:
        temporary = tempfile.mkdtemp(prefix=".memlint-", dir=os.path.dirname(place))
        try:
            for path, text in files.items():
                _write(os.path.join(temporary, path), text, executable=path in executable)
            os.chmod(temporary, 0o777 & ~_umask())
            if os.path.isdir(place) and os.listdir(place):
                _replace(temporary, place, files)
            else:
                os.rename(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{directory}: cannot be written ({error.strerror})", _HINT) from error


def _write(path: str, text: str, *, executable: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
        if executable:
            os.fchmod(file.fileno(), 0o777 & ~_umask())


def _replace(source: str, place: str, files: Mapping[str, str]) -> None:
    """Move each file to its place. A link on the way could lead elsewhere, so none is followed."""
    for path in files:
        parts = path.split("/")[:-1]
        for depth in range(len(parts)):
            part = os.path.join(place, *parts[: depth + 1])
            if os.path.islink(part) or (os.path.lexists(part) and not os.path.isdir(part)):
                raise UsageError(f"{part}: is no directory of its own", "remove it, or choose another directory")
            os.makedirs(part, exist_ok=True)
        target = os.path.join(place, path)
        if os.path.isdir(target) and not os.path.islink(target):
            raise UsageError(f"{target}: is a directory", "remove it, or choose another directory")
        os.replace(os.path.join(source, path), target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
