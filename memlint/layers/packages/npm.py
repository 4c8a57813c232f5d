"""Node packages: each node_modules/[@scope/]NAME/ with a package.json, as npm, yarn and pnpm unpack them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from memlint.layers.packages.database import Chunks, Database, UnreadableError, named, read
from memlint.model.layer import Installed, Package


class _Manifest(msgspec.Struct):
    name: str
    version: str
    dependencies: Any = None


def _keep(chunks: Chunks, limit: int) -> bytes:
    """What we read alone: a layer may hold ten thousand of these files, each with pages of scripts."""
    try:
        manifest = msgspec.json.decode(read(chunks, limit), type=_Manifest)
        needs = manifest.dependencies
        manifest.dependencies = sorted(needs) if isinstance(needs, dict) else []
        return msgspec.json.encode(manifest)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError from error


def _directories(path: str) -> Iterator[str]:
    """The directories that hold `path`, from the inside out."""
    while (cut := path.rfind("/")) > 0:
        path = path[:cut]
        yield path


def _owners(files: Mapping[str, bytes], wanted: frozenset[str]) -> Iterator[tuple[str, Package]]:
    packages: dict[str, Package] = {}
    for path, content in files.items():
        manifest = msgspec.json.decode(content, type=_Manifest)
        package = named(manifest.name, manifest.version, "npm")
        if package is not None:
            packages[path.removesuffix("/package.json")] = package
    for path in wanted if packages else ():
        package = next((packages[above] for above in _directories(path) if above in packages), None)
        if package is not None:
            yield path, package


def _all(files: Mapping[str, bytes]) -> Iterator[Installed]:
    for path, content in files.items():
        manifest = msgspec.json.decode(content, type=_Manifest)
        package = named(manifest.name, manifest.version, "npm")
        if package is not None:
            yield Installed(package, path, tuple((name,) for name in manifest.dependencies))


NPM = Database(
    ends=("/package.json",),
    paths=re.compile(r"(?:.*/)?node_modules/(?:@[^/]+/)?[^@./][^/]*/package\.json", re.DOTALL),
    limit=4 << 20,
    keep=_keep,
    owners=_owners,
    installed=_all,
)
