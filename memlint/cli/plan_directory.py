"""The directory that a plan is written to: whole or not at all, and nothing outside of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from itertools import count

import msgspec

from memlint.cli.output import umask
from memlint.errors import UsageError
from memlint.report.json import to_json

MANIFEST = "written.json"
"""Which files of the directory memlint wrote."""
_HINT = "name a directory that does not exist yet, or is empty"


class Stays(msgspec.Struct, frozen=True):
    """What a plan over another one leaves: files of the former plan that were changed since, by their paths, and files
    that were in the way of new ones, each with what it is called now."""

    changed: tuple[str, ...] = ()
    aside: tuple[tuple[str, str], ...] = ()


def check_directory(directory: str, *, force: bool) -> None:
    """UsageError when a plan cannot be written there; asked before anything costs time."""
    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise UsageError(f"{directory}: is no directory", _HINT)
    parent = os.path.dirname(os.path.abspath(directory))
    if not os.path.isdir(parent):
        raise UsageError(f"{parent}: there is no such directory", "make it, or choose another one")
    if os.path.isdir(directory) and os.listdir(directory) and not force:
        raise UsageError(f"{directory}: is not empty", "choose another one, or write over a former plan with --force")


def write_directory(directory: str, files: Mapping[str, str], executable: Collection[str], *, force: bool) -> Stays:
    """Write all files below the directory. With `force` it may have others: those that a former plan wrote go, and no
    others; what is in the way of a new file is put aside.
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
            os.chmod(temporary, 0o777 & ~umask())
            aside: list[tuple[str, str]] = []
            if os.path.isdir(place) and os.listdir(place):
                aside = _replace(temporary, place, files, former)
            else:
                os.rename(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        changed = [path for path in sorted(former) if path not in files and not _removed(place, path, former[path])]
        return Stays(tuple(changed), tuple(aside))
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
    if _digest_of(target) != digest:
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
            os.fchmod(file.fileno(), 0o777 & ~umask())


def _replace(source: str, place: str, files: Mapping[str, str], former: Mapping[str, str]) -> list[tuple[str, str]]:
    """Move each file to its place, and aside what is there and is not as the former plan wrote it.

    A link on the way could lead elsewhere, so none is followed.
    """
    aside: list[tuple[str, str]] = []
    for path, text in files.items():
        parts = path.split("/")[:-1]
        for depth in range(len(parts)):
            part = os.path.join(place, *parts[: depth + 1])
            if os.path.islink(part) or (os.path.lexists(part) and not os.path.isdir(part)):
                raise UsageError(f"{part}: is no directory of its own", "remove it, or choose another directory")
            os.makedirs(part, exist_ok=True)
        target = os.path.join(place, path)
        if os.path.isdir(target) and not os.path.islink(target):
            raise UsageError(f"{target}: is a directory", "remove it, or choose another directory")
        known = {_digest(_encoded(text)), former.get(path)}
        if path != MANIFEST and os.path.lexists(target) and _digest_of(target) not in known:
            name = _free(f"{path}.orig", place)
            os.rename(target, os.path.join(place, name))
            aside.append((path, name))
        os.replace(os.path.join(source, path), target)
    return aside


def _digest_of(path: str) -> str | None:
    """None for what is no file of its own."""
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return _digest(file.read())


def _free(name: str, place: str) -> str:
    numbered = (name if number == 1 else f"{name}.{number}" for number in count(1))
    return next(each for each in numbered if not os.path.lexists(os.path.join(place, each)))
