"""Which package each file of a layer came from, as the package databases in that layer say."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from memlint.layers.packages.apk import APK
from memlint.layers.packages.database import Database, UnreadableError
from memlint.layers.packages.dpkg import DPKG
from memlint.layers.packages.npm import NPM
from memlint.layers.packages.python import PYTHON
from memlint.layers.packages.rpm import RPM
from memlint.model.layer import Installed, Package

KEPT_LIMIT = 128 << 20
"""Bytes kept of all databases of one layer; a layer whose databases exceed it has no packages for us."""

# A later one wins: what a distribution ships of Python or Node belongs to the distribution's package.
_DISTRIBUTION = (RPM, APK, DPKG)
_DATABASES = (NPM, PYTHON, *_DISTRIBUTION)
_LANGUAGES = ("npm", "pypi")
_STARTS = tuple(start for database in _DATABASES for start in database.starts)
_ENDS = tuple(end for database in _DATABASES for end in database.ends)


def database_of(path: str) -> Database | None:
    """The format of the package database that `path` belongs to. Asked of every file, so a miss is cheap."""
    if path.startswith(_STARTS) or path.endswith(_ENDS):
        return next((database for database in _DATABASES if database.paths.fullmatch(path)), None)
    return None


class Databases:
    """The package databases of one layer, gathered in any order. A broken or oversized one owns nothing."""

    def __init__(self) -> None:
        self._files: dict[Database, dict[str, bytes]] = {database: {} for database in _DATABASES}
        self._kept = 0

    def add(self, path: str, size: int, chunks: Iterator[bytes | memoryview]) -> None:
        """Read a regular file of `size` bytes that is a database; a path added again replaces the former.

        Reading stops where the file exceeds its limit, so `chunks` may be left unfinished. Chunks are copied.
        LayerError when the temporary directory cannot hold an rpm database.
        """
        database = database_of(path)
        if database is None:
            return
        files = self._files[database]
        files.pop(path, None)
        if size > database.limit or self._kept > KEPT_LIMIT:
            return
        try:
            content = database.keep(chunks, database.limit)
        except UnreadableError:
            return
        files[path] = content
        self._kept += len(content)

    def installed(self) -> list[Installed]:
        """All packages that a database of this layer names, sorted."""
        if self._kept > KEPT_LIMIT:
            return []
        found = {each for database, files in self._files.items() if files for each in database.installed(files)}
        bringing = self._bringing({each.database for each in found if each.package.type in _LANGUAGES})
        told = (
            msgspec.structs.replace(each, within=bringing[each.database]) if each.database in bringing else each
            for each in found
        )
        return sorted(told, key=lambda each: (each.package, each.database))

    def _bringing(self, paths: Collection[str]) -> dict[str, Package]:
        """The distribution's package of each of these files."""
        wanted, found = frozenset(paths), dict[str, Package]()
        for database in _DISTRIBUTION if wanted else ():
            found.update(database.owners(dict(sorted(self._files[database].items())), wanted))
        return found

    def owners(self, paths: Collection[str]) -> dict[str, Package]:
        """The package of each of `paths`, files of this layer, that a database of this layer names."""
        if self._kept > KEPT_LIMIT:
            return {}
        wanted = frozenset(paths)
        found: dict[str, Package] = {}
        for database, files in self._files.items():
            # sorted, so that two claims on a path end alike whatever the layer's order
            found.update(database.owners(dict(sorted(files.items())), wanted))
        return found
