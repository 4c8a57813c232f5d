"""What memlint keeps of one layer: a pure function of its bytes."""

from __future__ import annotations

import msgspec

from memlint.model.digest import ContentID, DiffID


class Package(msgspec.Struct, frozen=True, order=True):
    """A package that a layer's own package database registers. `type` as in package URLs: deb, apk, rpm, pypi, npm."""

    name: str
    version: str
    type: str


class Installed(msgspec.Struct, frozen=True, order=True):
    """A package as its database describes it, whether or not a file of it is mapped.

    `needs` are what it depends on, each a choice of names; `provides` are names that it stands for beside its own.
    `size` is what it says that it takes on disk. `asked` says whether somebody asked for it, or it came along with
    another; None where the database does not know. `database` is the path of the file that says all this.
    `recommends` are like needs, brought along by default; `conflicts` are names that cannot lie beside it, whatever
    their versions. `within` is the distribution's package that brings this one of a language. `outside` says why it may
    be in no index: URL, BUILT, or "" where nothing says so.
    """

    package: Package
    database: str
    needs: tuple[tuple[str, ...], ...] = ()
    provides: tuple[str, ...] = ()
    size: int | None = None
    asked: bool | None = None
    recommends: tuple[tuple[str, ...], ...] = ()
    conflicts: tuple[str, ...] = ()
    within: Package | None = None
    outside: str = ""


URL, BUILT = "url", "built"
"""It was installed from a file, a directory or a repository; it was built for the one machine it was installed on."""


class Release(msgspec.Struct, frozen=True):
    """The distribution, as os-release(5) names it: ID and VERSION_ID, "" where it has none."""

    name: str
    version: str


class Elf(msgspec.Struct, frozen=True):
    """What the dynamic loader asks of an ELF file.

    `machine` is (ELF class in bits, byte order, e_machine): objects of different machines never meet in a process.
    `dynamic_lost` says that the dynamic section could not be read, so the strings below are unknown, not absent.
    """

    machine: tuple[int, str, int]
    soname: str | None = None
    needed: tuple[str, ...] = ()
    interp: str | None = None
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    textrel: bool = False
    upx: bool = False
    dynamic_lost: bool = False


class MappedFile(msgspec.Struct, frozen=True):
    """A file that processes map. Paths have no leading slash.

    `link` is the path that stands for the inode when several hard links share it (the smallest), else the path itself.
    `mappable_bytes` is an upper bound of the clean page cache that one inode can hold for its mappers.
    `package` indexes `LayerIndex.packages`.
    """

    path: str
    link: str
    size: int
    content: ContentID
    mappable_bytes: int
    kind: str
    elf: Elf | None = None
    package: int | None = None


class Script(msgspec.Struct, frozen=True):
    """An executable `#!` file; `passes_on` when its text runs its own arguments (`exec "$@"`)."""

    path: str
    interpreter: tuple[str, ...]
    passes_on: bool


class LayerIndex(msgspec.Struct, frozen=True):
    """Everything memlint needs of a layer. All sequences are sorted, so equal layers have equal indexes.

    `others` are the remaining paths that are no directories (they and whiteouts hide whatever lies below, subtrees
    included); `directories` hide only a file of the same name; `opaque` hide what lower layers put inside.
    `hardlinks` point at files of lower layers. `loader_cache` is what /etc/ld.so.cache maps, in its order.
    `installed` are the packages of the databases that lie in the layer: a distribution's names all that there are.
    """

    diff_id: DiffID
    files: tuple[MappedFile, ...]
    scripts: tuple[Script, ...]
    symlinks: dict[str, str]
    hardlinks: dict[str, str]
    others: tuple[str, ...]
    directories: tuple[str, ...]
    whiteouts: tuple[str, ...]
    opaque: tuple[str, ...]
    packages: tuple[Package, ...]
    loader_cache: tuple[tuple[str, str], ...] | None
    installed: tuple[Installed, ...] = ()
    release: Release | None = None
