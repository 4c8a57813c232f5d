"""Alpine and its kin: apk's database of installed packages, apk-v2 format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from memlint.layers.packages.database import Database, named, number, spelled, text
from memlint.model.layer import Installed, Package

_WORLD = "etc/apk/world"
_RELATION = re.compile(r"[<>=~@]")
_EXCLUDED = re.compile(r"![^<>=~@]+")


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
    for database, content in files.items():
        if database == _WORLD:
            continue
        for name, package in _listed(text(content), kind):
            path = spelled(name, wanted)
            if path is not None:
                yield path, package


def installed(kind: str, files: Mapping[str, bytes]) -> Iterator[Installed]:
    """As `Database.installed`, of files in apk's format: D: what a package needs, p: what it provides, I: its size.

    W: is no field of apk's: what a package of type rpm recommends.
    """
    asked = frozenset(_names(files[_WORLD].decode("utf-8", "replace").split())) if _WORLD in files else None
    for database, content in files.items():
        fields: dict[str, str] = {}
        for line in () if database == _WORLD else text(content + b"\n"):
            if line[1:2] == ":" and line[0] in "PVDpIW":
                fields[line[0]] = line[2:].rstrip("\n")
            elif line == "\n":
                package = named(fields.get("P", ""), fields.get("V", ""), kind)
                if package is not None:
                    yield Installed(
                        package,
                        database,
                        tuple((name,) for name in _names(fields.get("D", "").split())),
                        _names(fields.get("p", "").split()),
                        number(fields.get("I", "")),
                        None if asked is None else package.name in asked,
                        tuple((name,) for name in _names(fields.get("W", "").split())),
                        tuple(word[1:] for word in fields.get("D", "").split() if _EXCLUDED.fullmatch(word)),
                    )
                fields = {}


def _names(words: Iterable[str]) -> tuple[str, ...]:
    """The names in `so:libz.so.1` or `busybox>=1.36`; `!name` is a conflict."""
    return tuple(name for word in words if (name := _RELATION.split(word, maxsplit=1)[0]) and not name.startswith("!"))


APK = Database(
    starts=("lib/apk/db/", "usr/lib/apk/db/", _WORLD),
    paths=re.compile(r"(?:usr/)?lib/apk/db/installed|etc/apk/world"),
    owners=partial(owners, "apk"),
    installed=partial(installed, "apk"),
)
