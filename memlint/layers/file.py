"""One open file as the index of a layer would have it: its content's digest, and what loaders map of it."""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from memlint.layers.digests import digest_of, scan_elf
from memlint.layers.kinds import whole_file_bytes, whole_file_kind
from memlint.model.digest import ContentID
from memlint.model.layer import Elf

OTHER = "other"
"""The kind of a file that is none of `memlint.model.vocabulary.KINDS`."""
_HEAD = 4096


class Described(msgspec.Struct, frozen=True):
    """A file's content. For a file of kind "other", `mappable_bytes` are all its pages."""

    size: int
    content: ContentID
    mappable_bytes: int
    kind: str
    elf: Elf | None


def describe(descriptor: int, size: int, chunks: Iterable[memoryview]) -> Described:
    """The regular file of `size` bytes that is open at `descriptor`, and whose bytes `chunks` reads from its start.

    OSError when the file cannot be read.
    """
    front = os.pread(descriptor, _HEAD, 0)
    if front[:4] == b"\x7fELF":
        content, found = scan_elf(size, chunks)
        if found is not None:
            elf, mappable, kind = found
            return Described(size, content, mappable, kind, elf)
        return Described(size, content, whole_file_bytes(size), OTHER, None)
    kind = whole_file_kind(front[:512], size) or OTHER
    return Described(size, digest_of(chunks), whole_file_bytes(size), kind, None)


def has_kind(descriptor: int) -> bool:
    """Whether an open file may be one that loaders or runtimes map, from its start."""
    front = os.pread(descriptor, 512, 0)
    return front[:4] == b"\x7fELF" or whole_file_kind(front, os.fstat(descriptor).st_size) is not None
