"""Debian and its kin: dpkg's database, and the one that distroless images have in its place."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping

from memlint.layers.packages.database import Database, merged, named, paragraphs, spelled, text
from memlint.model.layer import Package

_STATUS = "var/lib/dpkg/status"
_INFO = "var/lib/dpkg/info/"
_STATUS_D = "var/lib/dpkg/status.d/"
_FIELDS = frozenset({"Package", "Version", "Architecture"})


def _package(fields: Mapping[str, str]) -> Package | None:
    return named(fields.get("Package", ""), fields.get("Version", ""), "deb")


def _installed(files: Mapping[str, bytes]) -> Iterator[tuple[Package, bytes]]:
    """Each package whose .list is in the layer, and that list: one absolute path a line."""
    lists = {path[len(_INFO) : -len(".list")]: path for path in files if path.startswith(_INFO)}
    for fields in paragraphs(text(files.get(_STATUS, b"")), _FIELDS):
        package = _package(fields)
        if package is None:
            continue
        for stem in (package.name, f"{package.name}:{fields.get('Architecture')}"):
            # taken once: a status that repeats a package must not make us read its list again
            listing = lists.pop(stem, None)
            if listing is not None:
                yield package, files[listing]


def _distroless(files: Mapping[str, bytes]) -> Iterator[tuple[Package, Iterable[str]]]:
    """Each package of status.d, and the paths that its md5sums name."""
    for path, control in files.items():
        sums = files.get(f"{path}.md5sums")
        if sums is None or not path.startswith(_STATUS_D):
            continue
        package = _package(next(paragraphs(text(control), _FIELDS)))
        if package is not None:
            yield package, (line.partition("  ")[2].strip("\n") for line in text(sums))


def _owners(files: Mapping[str, bytes], wanted: frozenset[str]) -> Iterator[tuple[str, Package]]:
    # lists hold every file of a distribution and few of the wanted: what is looked up is spelled out, not what is read
    spellings = {f"/{other}".encode(): path for path in wanted for other in merged(path)}
    spellings.update({f"/{path}".encode(): path for path in wanted})
    for package, listing in _installed(files):
        for line in io.BytesIO(listing):
            listed = spellings.get(line.rstrip(b"\n"))
            if listed is not None:
                yield listed, package
    for package, paths in _distroless(files):
        for named_path in paths:
            found = spelled(named_path, wanted)
            if found is not None:
                yield found, package


DPKG = Database(
    starts=("var/lib/dpkg/",),
    paths=re.compile(r"var/lib/dpkg/(?:status|info/[^/]+\.list|status\.d/[^/]+)"),
    owners=_owners,
)
