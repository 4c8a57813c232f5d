"""Debian and its kin: dpkg's database, and the one that distroless images have in its place."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping

from memlint.layers.packages.database import Database, merged, named, number, paragraphs, spelled, text
from memlint.model.layer import Installed, Package

_STATUS = "var/lib/dpkg/status"
_INFO = "var/lib/dpkg/info/"
_STATUS_D = "var/lib/dpkg/status.d/"
_STATES = "var/lib/apt/extended_states"
_FIELDS = frozenset({"Package", "Version", "Architecture"})
_ALL_FIELDS = (
    _FIELDS
    | {"Status", "Depends", "Pre-Depends", "Provides", "Installed-Size"}
    | {*("Recommends", "Conflicts", "Breaks")}
)
_STATE_FIELDS = frozenset({"Package", "Auto-Installed"})
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9+.-]*")


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


def _described(fields: Mapping[str, str], database: str, came_along: frozenset[str] | None) -> Installed | None:
    package = _package(fields)
    if package is None or not fields.get("Status", "ok installed").endswith("ok installed"):
        return None
    against = ",".join(fields.get(name, "") for name in ("Conflicts", "Breaks")).split(",")
    return Installed(
        package,
        database,
        _choices(fields, "Pre-Depends", "Depends"),
        _names(fields.get("Provides", "").split(",")),
        number(fields.get("Installed-Size", ""), 1024),
        None if came_along is None else package.name not in came_along,
        _choices(fields, "Recommends"),
        # of those bound to versions the installed ones are none: dpkg would not have them beside it
        _names(relation for relation in against if "(" not in relation),
    )


def _choices(fields: Mapping[str, str], *names: str) -> tuple[tuple[str, ...], ...]:
    relations = ",".join(fields.get(name, "") for name in names)
    return tuple(found for choice in relations.split(",") if (found := _names(choice.split("|"))))


def _names(relations: Iterable[str]) -> tuple[str, ...]:
    """The names in `libc6 (>= 2.34)` or `python3:any`."""
    return tuple(match[0] for relation in relations if (match := _NAME.match(relation.strip())))


def _all(files: Mapping[str, bytes]) -> Iterator[Installed]:
    came_along = None
    if _STATES in files:
        states = paragraphs(text(files[_STATES]), _STATE_FIELDS)
        came_along = frozenset(each.get("Package", "") for each in states if each.get("Auto-Installed") == "1")
    for path, content in files.items():
        if path == _STATUS or (path.startswith(_STATUS_D) and not path.endswith(".md5sums")):
            for fields in paragraphs(text(content), _ALL_FIELDS):
                found = _described(fields, _STATUS if path == _STATUS else path, came_along)
                if found is not None:
                    yield found


DPKG = Database(
    starts=("var/lib/dpkg/", _STATES),
    paths=re.compile(r"var/lib/(?:dpkg/(?:status|info/[^/]+\.list|status\.d/[^/]+)|apt/extended_states)"),
    owners=_owners,
    installed=_all,
)
