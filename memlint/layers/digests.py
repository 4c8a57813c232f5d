"""A file's bytes as they pass by → its digest, and what its ELF headers say."""

from __future__ import annotations

from collections.abc import Iterable

import blake3

from memlint.layers.elf import ElfScan
from memlint.model.digest import ContentID
from memlint.model.layer import Elf


def scan_elf(size: int, contents: Iterable[memoryview]) -> tuple[ContentID, tuple[Elf, int, str] | None]:
    """The digest of a file of `size` bytes, and `ElfScan.result`."""
    scan, digest = ElfScan(), blake3.blake3()
    for chunk in contents:
        scan.feed(chunk)
        digest.update(chunk)
    return ContentID("blake3:" + digest.hexdigest()), scan.result(size)


def digest_of(contents: Iterable[memoryview]) -> ContentID:
    """The digest of a file's bytes."""
    digest = blake3.blake3()
    for chunk in contents:
        digest.update(chunk)
    return ContentID("blake3:" + digest.hexdigest())
