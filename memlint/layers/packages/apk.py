"""Alpine and its kin: apk's database of installed packages, apk-v2 format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from memlint.layers.packages.database import Database, named, spelled, text
from memlint.model.layer import Package


def _listed(lines: Iterable[str], kind: str) -> Iterator[tuple[str, Package]]:
    """Each path and its package.

    P: and V: name the package, F: a directory and each R: a file in it; an empty line ends a package.
    """
    name = directory = ""
    package = None
    for line in lines:
        key, value = line[:2], line[2:].rstrip("\n")
        if key == "R:":
            if package is not None:
                yield directory + value, package
        elif key == "F:":
            directory = f"{value}/" if value else ""
        elif key == "V:":
            package = named(name, value, kind)
        elif key in ("P:", "\n"):
            name, package, directory = value, None, ""


def owners(kind: str, files: Mapping[str, bytes], wanted: frozenset[str]) -> Iterator[tuple[str, Package]]:
    """As `Database.owners`, of files in apk's format whose packages are of type `kind`."""
    for content in files.values():
        for name, package in _listed(text(content), kind):
            path = spelled(name, wanted)
            if path is not None:
                yield path, package


APK = Database(
    starts=("lib/apk/db/", "usr/lib/apk/db/"),
    paths=re.compile(r"(?:usr/)?lib/apk/db/installed"),
    owners=partial(owners, "apk"),
)
