"""Python distributions: .dist-info directories, by PyPA's specification "Recording installed projects"."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from memlint.layers.packages.database import Database, named, paragraphs, text
from memlint.model.layer import Package

_FIELDS = frozenset({"Name", "Version"})


def _recorded(line: str) -> str:
    """The path in a line of RECORD. Hash and size hold no comma, so the commas from the right tell it."""
    path = line.rsplit(",", 2)[0]
    return path[1:-1].replace('""', '"') if path.startswith('"') else path


def _owners(files: Mapping[str, bytes], wanted: frozenset[str]) -> Iterator[tuple[str, Package]]:
    for path, metadata in files.items():
        info, _, name = path.rpartition("/")
        if name != "METADATA" or f"{info}/RECORD" not in files:
            continue
        fields = next(paragraphs(text(metadata), _FIELDS))
        package = named(fields.get("Name", ""), fields.get("Version", ""), "pypi")
        if package is None:
            continue
        site = posixpath.dirname(info)
        for line in text(files[f"{info}/RECORD"]):
            # what leaves the root still begins with `..`, which is no path of a layer
            owned = posixpath.normpath(posixpath.join(site, _recorded(line))).lstrip("/")
            if owned in wanted:
                yield owned, package


PYTHON = Database(
    ends=(".dist-info/METADATA", ".dist-info/RECORD"),
    paths=re.compile(r"(?:.*/)?[^/]+\.dist-info/(?:METADATA|RECORD)", re.DOTALL),
    owners=_owners,
)
