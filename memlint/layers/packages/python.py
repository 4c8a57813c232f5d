"""Python distributions: .dist-info directories, by PyPA's specification "Recording installed projects"."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from memlint.layers.packages.database import Database, named, paragraphs, text
from memlint.model.layer import BUILT, URL, Installed, Package

_FIELDS = frozenset({"Name", "Version"})
_REQUIRES = "Requires-Dist:"
_FILES = ("METADATA", "RECORD", "REQUESTED", "WHEEL", "direct_url.json")
_SIZE = re.compile(rb",([0-9]{1,15})\r?$", re.MULTILINE)
_NATIVE = re.compile(r"linux_(?!armv[67]l)")
"""What begins a platform that no index takes: a wheel for it was built for this machine."""
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
            yield Installed(
                package,
                path,
                tuple(_needs(metadata)),
                (canonical(package.name),),
                _size(files.get(f"{info}/RECORD")),
                f"{info}/REQUESTED" in files or None,  # PEP 376: other installers than pip may not write it
                outside=_outside(info, files),
            )


def _size(record: bytes | None) -> int | None:
    """What the files take that RECORD gives a size of; None where it gives none."""
    sizes = _SIZE.findall(record or b"")
    return sum(map(int, sizes)) if sizes else None


def _outside(info: str, files: Mapping[str, bytes]) -> str:
    """PEP 610: direct_url.json is there when no index was asked. Else the platforms of the wheel may tell."""
    if f"{info}/direct_url.json" in files:
        return URL
    tags = [line[4:].strip().split("-") for line in text(files.get(f"{info}/WHEEL", b"")) if line.startswith("Tag:")]
    platforms = [platform for tag in tags for platform in tag[-1].split(".")]
    return BUILT if platforms and all(_NATIVE.match(platform) for platform in platforms) else ""


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
    ends=tuple(f".dist-info/{name}" for name in _FILES),
    paths=re.compile(rf"(?:.*/)?[^/]+\.dist-info/(?:{'|'.join(map(re.escape, _FILES))})", re.DOTALL),
    owners=_owners,
    installed=_all,
)
