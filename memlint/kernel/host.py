"""Where a host keeps what memlint reads of it, and how that is read: bounded, and never waiting."""

from __future__ import annotations

import errno
import os
from io import FileIO
from typing import TypeVar

import msgspec

from memlint.kernel.opening import followed

DOCUMENT_MAX = 32 * 2**20
"""Bytes. A state file of a node with thousands of containers has less."""
_NAME_MAX = 256
_Document = TypeVar("_Document")


class Host(msgspec.Struct, frozen=True):
    """The directories of a host; `home` is that of the user whose own stores are looked at, too."""

    proc: str = "/proc"
    cgroup: str = "/sys/fs/cgroup"
    modules: str = "/sys/module"
    run: str = "/run"
    lib: str = "/var/lib"
    etc: str = "/etc"
    share: str = "/usr/share"
    boot: str = "/boot"
    kernels: str = "/usr/lib/modules"
    home: str = msgspec.field(default_factory=lambda: os.path.expanduser("~"))


def read(path: str, limit: int = DOCUMENT_MAX) -> bytes:
    """A regular file's bytes. OSError when it cannot be read, is none (a pipe, a device), or is longer than `limit`."""
    with opened(path) as file:
        parts, left = [], limit + 1
        while left > 0 and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
    if left <= 0:
        raise OSError(errno.EFBIG, "too long", path)
    return b"".join(parts)


def opened(path: str) -> FileIO:
    """A regular file to read; OSError for anything else, at once: opening a pipe would wait for who writes it."""
    return FileIO(followed(path))


def text(path: str) -> str:
    """The same as text; bytes that are not UTF-8 survive as os.fsdecode has them."""
    return os.fsdecode(read(path))


def text_or_none(path: str) -> str | None:
    """The same; None where it cannot be read."""
    try:
        return text(path)
    except OSError:
        return None


def document(path: str, kind: type[_Document]) -> _Document | None:
    """A JSON file; None where it cannot be read, or is not what it should be."""
    try:
        return msgspec.json.decode(read(path), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def entries(directory: str) -> list[str]:
    """The names in a directory, sorted; none where it cannot be read."""
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def utf8(text: str) -> str:
    """A name as the kernel had it, its bytes that are no UTF-8 spelled out: JSON cannot hold them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def clean(name: str) -> str:
    """A name that strangers gave, on one line, without anything that could steer a terminal."""
    shown = name[:_NAME_MAX]
    return shown if shown.isprintable() else "".join(char if char.isprintable() else "�" for char in shown)
