"""Named blobs in a directory, in a tar, or remembered from a stream."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Protocol

from memlint.errors import SourceError
from memlint.model.image import Reader

DOCUMENT_MAX = 8 << 20
"""Bytes of a JSON document. Registries take manifests up to 4 MiB; configs with long histories stay below it, too."""
_AGAIN = "the file is damaged or cut short: save, pull or copy the image again"
_LINKS_MAX = 16


class Store(Protocol):
    """What an archive or a layout holds. Names are relative paths as its manifests spell them."""

    name: str

    def document(self, name: str) -> bytes:
        """A small file, whole. SourceError when it is absent or larger than `DOCUMENT_MAX`."""

    def size(self, name: str) -> int | None:
        """Bytes of a blob; None when the store has no such blob, or its bytes have passed already."""

    def open(self, name: str) -> Reader:
        """A blob from its start; each call gives a reader of its own."""


class DirectoryStore:
    """An image layout's directory."""

    def __init__(self, root: str) -> None:
        self.name = root

    def document(self, name: str) -> bytes:
        size = self.size(name)
        if size is None:
            raise SourceError(
                f"{self.name}: has no {name}",
                "check the path; an image layout has index.json, oci-layout and blobs/",
            )
        _bounded(self.name, name, size)
        return _whole(self.open(name))

    def size(self, name: str) -> int | None:
        path = os.path.join(self.name, name)
        return os.path.getsize(path) if os.path.isfile(path) else None

    def open(self, name: str) -> Reader:
        try:
            return open(os.path.join(self.name, name), "rb", buffering=0)
        except OSError as error:
            raise SourceError(
                f"{self.name}: {name} cannot be read ({error.strerror})", "check its permissions"
            ) from error


class TarStore:
    """An uncompressed archive, whose members are read in place."""

    def __init__(self, path: str) -> None:
        self.name = path
        self._members: dict[str, tarfile.TarInfo] = {}
        try:
            with tarfile.open(path, "r:") as archive:
                for member in archive:
                    self._members[_clean(member.name)] = member
        except (tarfile.TarError, EOFError, OSError) as error:
            raise SourceError(f"{path}: is no image archive, or a damaged one ({error})", _AGAIN) from error

    def document(self, name: str) -> bytes:
        size = self.size(name)
        if size is None:
            raise SourceError(f"{self.name}: has no {name}", "give a file written by docker save or skopeo copy")
        _bounded(self.name, name, size)
        return _whole(self.open(name))

    def size(self, name: str) -> int | None:
        member = self._resolve(name)
        return member.size if member else None

    def open(self, name: str) -> Reader:
        member = self._resolve(name)
        if member is None:
            raise SourceError(f"{self.name}: has no {name}", _AGAIN)
        return Window(self.name, member.offset_data, member.size)

    def _resolve(self, name: str) -> tarfile.TarInfo | None:
        """docker save writes a layer once and points at it by links from then on."""
        name = _clean(name)
        for _ in range(_LINKS_MAX):
            member = self._members.get(name)
            if member is None or member.isreg():
                return member
            if member.issym():
                name = _clean(os.path.join(os.path.dirname(name), member.linkname))
            elif member.islnk():
                name = _clean(member.linkname)
            else:
                return None
        return None


class DocumentStore:
    """The documents of a stream that has passed; its layers were indexed on the way."""

    def __init__(self, name: str, documents: Mapping[str, bytes]) -> None:
        self.name = name
        self._documents = {_clean(key): value for key, value in documents.items()}

    def document(self, name: str) -> bytes:
        try:
            return self._documents[_clean(name)]
        except KeyError:
            raise SourceError(f"{self.name}: has no {name}", _AGAIN) from None

    def size(self, name: str) -> int | None:
        document = self._documents.get(_clean(name))
        return None if document is None else len(document)

    def open(self, name: str) -> Reader:
        raise SourceError(f"{self.name}: {name} has passed by", _AGAIN)


class Window(io.RawIOBase):
    """A run of bytes of a file, read by offset."""

    def __init__(self, path: str, offset: int, size: int) -> None:
        super().__init__()
        self._file = os.open(path, os.O_RDONLY)
        self._position, self._end = offset, offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:
        wanted = min(len(target), self._end - self._position)
        got = os.preadv(self._file, [memoryview(target)[:wanted]], self._position) if wanted > 0 else 0
        self._position += got
        return got

    def close(self) -> None:
        if not self.closed:
            os.close(self._file)
        super().close()


def _whole(file: Reader) -> bytes:
    with closing(file):
        parts = iter(lambda: file.read(DOCUMENT_MAX), b"")
        return b"".join(part for part in parts if part)


def _clean(name: str) -> str:
    return os.path.normpath(name).lstrip("/")


def _bounded(place: str, name: str, size: int) -> None:
    if size > DOCUMENT_MAX:
        raise SourceError(
            f"{place}: {name} has {size} bytes, too many for a manifest or config",
            "this is no image that a builder made: look at where it comes from",
        )
