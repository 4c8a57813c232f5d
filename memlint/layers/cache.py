"""LayerIndexes on disk, by diff ID; and image configs, by image ID.

An entry is a header (format, digest of key and body) and a compressed body. It is written beside its place and renamed,
so parallel runs and killed ones leave whole entries only; what is damaged or of another format is as good as absent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import blake3
import msgspec
import zstandard

from memlint.errors import CacheError
from memlint.model.digest import DiffID
from memlint.model.layer import LayerIndex

FORMAT = 3
"""Goes up whenever an index of the same bytes comes out differently."""
DEFAULT_SIZE = 2 << 30
_MAGIC = b"memlint\0" + FORMAT.to_bytes(4, "big")
_BODY_MAX = 1 << 30
_STALE_TEMPORARY = 3600.0
_TOUCH_AFTER = 86_400.0
"""Seconds after which a use is noted again; noting each one would cost a write per layer."""

_T = TypeVar("_T")


class Cache:
    """The entries below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._written = False

    def layer(self, diff_id: DiffID) -> LayerIndex | None:
        """The index of a layer, or None."""
        index = self._get(f"layer-{diff_id}", LayerIndex)
        return index if index is not None and index.diff_id == diff_id else None

    def put_layer(self, index: LayerIndex) -> None:
        """Keep a layer's index. CacheError when the directory cannot take it."""
        self._put(f"layer-{index.diff_id}", index)

    def config(self, image_id: str) -> bytes | None:
        """The config of an image, as it was kept, or None."""
        return self._get(f"config-{image_id}", bytes)

    def put_config(self, image_id: str, config: bytes) -> None:
        """Keep an image's config. CacheError when the directory cannot take it."""
        self._put(f"config-{image_id}", config)

    def usage(self) -> tuple[int, int]:
        """(entries, bytes)."""
        sizes = [size for _, _, size in self._entries()]
        return len(sizes), sum(sizes)

    def prune(self, limit: int) -> tuple[int, int]:
        """Remove the least recently used entries until `limit` bytes hold the rest: (entries, bytes) removed."""
        entries = sorted(self._entries())
        total = sum(size for _, _, size in entries)
        removed = freed = 0
        for _, path, size in entries:
            if total - freed <= limit:
                break
            _remove(path)
            removed, freed = removed + 1, freed + size
        return removed, freed

    def close(self, limit: int = DEFAULT_SIZE) -> None:
        """Keep the cache within bounds, if this run added to it."""
        if self._written:
            self.prune(limit)

    def _get(self, key: str, kind: type[_T]) -> _T | None:
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                data = file.read(_BODY_MAX)
                age = time.time() - os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        value = _decode(key, data, kind)
        if value is None:
            _remove(path)
        elif age > _TOUCH_AFTER:
            _touch(path)
        return value

    def _put(self, key: str, value: Any) -> None:
        import tempfile  # here, because a run that finds all in the cache has no use for it

        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_encode(key, value))
                os.replace(temporary, path)
            except BaseException:
                _remove(Path(temporary))
                raise
        except OSError as error:
            raise CacheError(
                f"the cache directory {self.directory} cannot be written ({error.strerror})",
                "make room there, choose another with --cache-dir, or go without by --no-cache",
            ) from error
        self._written = True

    def _path(self, key: str) -> Path:
        name = key.replace(":", "-")
        if not name.replace("-", "").isalnum():
            raise ValueError(f"not a cache key: {key!r}")
        return self.directory / f"v{FORMAT}" / name[-2:] / name

    def _entries(self) -> Iterator[tuple[float, Path, int]]:
        """(last use, path, bytes) of each entry of any format; leftovers of killed runs are removed on the way."""
        try:
            os.listdir(self.directory)  # glob keeps silent about what it cannot read
            paths = list(self.directory.glob("v*/??/*"))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise CacheError(
                f"the cache directory {self.directory} cannot be read ({error.strerror})",
                "choose another with --cache-dir, or go without by --no-cache",
            ) from error
        for path in paths:
            try:
                status = path.stat()
            except OSError:
                continue  # another run removed it
            if not path.name.startswith(".new-"):
                yield status.st_mtime, path, status.st_size
            elif time.time() - status.st_mtime > _STALE_TEMPORARY:
                _remove(path)


def _encode(key: str, value: Any) -> bytes:
    body = zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(value))
    return _header(key, body) + body


def _decode(key: str, data: bytes, kind: type[_T]) -> _T | None:
    body = data[len(_MAGIC) + 32 :]
    if not data.startswith(_header(key, body)):
        return None
    try:
        plain = zstandard.ZstdDecompressor().decompress(body, max_output_size=_BODY_MAX)
        return msgspec.msgpack.decode(plain, type=kind)
    except (zstandard.ZstdError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def _header(key: str, body: bytes) -> bytes:
    return _MAGIC + blake3.blake3(key.encode()).update(body).digest()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a read-only cache stays as it is


def _touch(path: Path) -> None:
    try:
        os.utime(path)
    except OSError:
        return
