"""An archive of images that passes by once, as `docker save` streams it: layers are indexed on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from memlint.errors import LayerError
from memlint.layers.archive import index_tar
from memlint.layers.limits import Limits
from memlint.layers.stream import BLOCK, Promised, TarBlocks, codec_of
from memlint.layers.tar import RECORD, REGULAR, Blocks, TarReader, is_header
from memlint.model.digest import DiffID, Digest
from memlint.model.image import Reader
from memlint.model.layer import LayerIndex

DOCUMENT_MAX = 8 << 20
"""Bytes of one JSON document; the manifests come last, so all that could be one is kept."""
DOCUMENTS_MAX = 64 << 20
_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})\Z")


def index_passing(
    reader: Reader,
    limits: Limits,
    known: Callable[[DiffID], bool],
    keep: Callable[[LayerIndex], None],
) -> dict[str, bytes]:
    """Hand the index of every layer that is not `known` to `keep`; return the other small files by name.

    Layers are told by their content, for the manifest that names them comes last. LayerError as `index_tar` has it.
    """
    documents: dict[str, bytes] = {}
    kept = 0
    with TarBlocks(reader, limits, Promised(), verify=False) as blocks:
        tar = TarReader(Blocks(blocks), limits)
        for entry in tar:
            if entry.type is not REGULAR:
                continue
            if _is_layer(tar.start(RECORD), entry.path, entry.size):
                named = _BLOB.match(entry.path)
                if named and known(DiffID(Digest(f"sha256:{named[1]}"))):
                    continue
                digest = Digest(f"sha256:{named[1]}") if named else None
                keep(_index(tar, limits, entry.path, entry.size, digest))
            elif entry.size <= DOCUMENT_MAX:
                kept += entry.size + len(entry.path)
                if kept > DOCUMENTS_MAX:
                    raise LayerError("holds too many small files to be an image archive", "look at where it comes from")
                documents[entry.path] = b"".join(bytes(chunk) for chunk in tar.contents())
            elif entry.path.endswith(".json"):
                raise LayerError(
                    f"{entry.path[:80]} has {entry.size} bytes, too many for a manifest or config",
                    "look at where the archive comes from",
                )
    return documents


def _index(tar: TarReader, limits: Limits, path: str, size: int, digest: Digest | None) -> LayerIndex:
    try:
        return index_tar(_Contents(tar.contents()), limits, Promised(size, digest))
    except LayerError as error:
        raise error.inside(f"layer {path[:100]}") from error


def _is_layer(front: bytes, path: str, size: int) -> bool:
    if path.endswith(".json"):
        return False
    return codec_of(front) is not None or is_header(front) or (size >= RECORD and not front.strip(b"\0"))


class _Contents:
    """Chunks as a reader."""

    def __init__(self, chunks: Iterator[memoryview]) -> None:
        self._chunks = chunks
        self._chunk = memoryview(b"")

    def readinto(self, target: memoryview, /) -> int:
        if not self._chunk:
            self._chunk = next(self._chunks, self._chunk)
        count = min(len(target), len(self._chunk))
        target[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count

    def read(self, size: int = -1, /) -> bytes:
        data = bytearray(size if size >= 0 else BLOCK)
        with memoryview(data) as view:
            return bytes(view[: self.readinto(view)])

    def close(self) -> None:
        """The chunks are the archive's own."""
