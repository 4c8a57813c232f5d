"""The directory that a plan is written to: whole or not at all, and nothing outside of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping

import msgspec

from memlint.errors import UsageError
from memlint.report.json import to_json

MANIFEST = "written.json"
"""Which files of the directory memlint wrote."""
_HINT = "name a directory that does not exist yet, or is empty"


def check_directory(directory: str, *, force: bool) -> None:
    """UsageError when a plan cannot be written there; asked before anything costs time."""
    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise UsageError(f"{directory}: is no directory", _HINT)
    parent = os.path.dirname(os.path.abspath(directory))
    if not os.path.isdir(parent):
        raise UsageError(f"{parent}: there is no such directory", "make it, or choose another one")
    if os.path.isdir(directory) and os.listdir(directory) and not force:
        raise UsageError(f"{directory}: is not empty", "choose another one, or write over a former plan with --force")


def write_directory(directory: str, files: Mapping[str, str], executable: Collection[str], *, force: bool) -> list[str]:
    """Write all files below the directory. With `force` it may have others: those of these names go, and those that a
    former plan wrote there. Returns the former plan's files that stay, for they were changed since.
    """
    check_directory(directory, force=force)
    place = os.path.realpath(directory)
    files = {**files, MANIFEST: _manifest(files)}
    former = _read_manifest(place)
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
        return [path for path in sorted(former) if path not in files and not _removed(place, path, former[path])]
    except OSError as error:
        raise UsageError(f"{directory}: cannot be written ({error.strerror})", _HINT) from error


def _manifest(files: Mapping[str, str]) -> str:
    """What was written, each file with its digest, so that a later plan knows what it may remove."""
    digests = {path: _digest(_encoded(text)) for path, text in sorted(files.items())}
    return to_json(digests)


def _read_manifest(place: str) -> dict[str, str]:
    """Nothing where there is none, or what is there is none."""
    try:
        with open(os.path.join(place, MANIFEST), "rb") as file:
            return msgspec.json.decode(file.read(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}


def _removed(place: str, path: str, digest: str) -> bool:
    """Remove what is as it was written, with directories that are empty then; whether it is gone. The manifest may
    have been changed by anyone: no path leads out of the directory, and no link is followed."""
    parts = path.split("/")
    if not all(part not in ("", ".", "..") for part in parts):
        return True
    parents = [os.path.join(place, *parts[:depth]) for depth in range(1, len(parts))]
    target = os.path.join(place, *parts)
    if any(os.path.islink(each) for each in (*parents, target)) or not os.path.isfile(target):
        return not os.path.lexists(target)
    with open(target, "rb") as file:
        if _digest(file.read()) != digest:
            return False
    os.unlink(target)
    for parent in reversed(parents):
        if not os.listdir(parent):
            os.rmdir(parent)
    return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _write(path: str, text: str, *, executable: bool) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        file.write(_encoded(text))
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
