"""Python distributions: .dist-info directories, by PyPA's specification "Recording installed projects"."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from memlint.layers.packages.database import Database, named, paragraphs, text
from memlint.model.layer import Installed, Package

_FIELDS = frozenset({"Name", "Version"})
_REQUIRES = "Requires-Dist:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATORS = re.compile(r"[-_.]+")


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


def _all(files: Mapping[str, bytes]) -> Iterator[Installed]:
    for path, metadata in files.items():
        info, _, name = path.rpartition("/")
        if name != "METADATA":
            continue
        fields = next(paragraphs(text(metadata), _FIELDS))
        package = named(fields.get("Name", ""), fields.get("Version", ""), "pypi")
        if package is not None:
            asked = f"{info}/REQUESTED" in files  # PEP 376: other installers than pip may not write it
            yield Installed(package, path, tuple(_needs(metadata)), (canonical(package.name),), None, asked or None)


def _needs(metadata: bytes) -> Iterator[tuple[str, ...]]:
    """What METADATA's header requires in any case: what a marker makes conditional is left to the installer."""
    for line in text(metadata):
        if line == "\n":
            return
        if line.startswith(_REQUIRES) and ";" not in line:
            match = _NAME.match(line[len(_REQUIRES) :].strip())
            if match is not None:
                yield (canonical(match[0]),)


def canonical(name: str) -> str:
    """The one spelling of a distribution's name, by PyPA's specification "Names and normalization"."""
    return _SEPARATORS.sub("-", name).lower()


PYTHON = Database(
    ends=(".dist-info/METADATA", ".dist-info/RECORD", ".dist-info/REQUESTED"),
    paths=re.compile(r"(?:.*/)?[^/]+\.dist-info/(?:METADATA|RECORD|REQUESTED)", re.DOTALL),
    owners=_owners,
    installed=_all,
)
