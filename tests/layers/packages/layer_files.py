"""A layer's database files, as the walk shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from memlint.layers.packages import Databases
from memlint.model.layer import Package


def reused(content: bytes, size: int = 1000) -> Iterator[memoryview]:
    """`content` through one buffer that each step overwrites."""
    buffer = bytearray(size)
    for start in range(0, len(content), size):
        part = content[start : start + size]
        buffer[: len(part)] = part
        yield memoryview(buffer)[: len(part)]
    buffer[:] = bytes(size)


def owners(files: dict[str, bytes], paths: Iterable[str]) -> dict[str, Package]:
    databases = Databases()
    for path, content in files.items():
        databases.add(path, len(content), reused(content))
    return databases.owners(list(paths))
