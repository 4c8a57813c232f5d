"""Gathers what a walk over a layer meets, from a tar or a directory, and closes it into a LayerIndex."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from memlint.errors import LayerError
from memlint.layers.digests import digest_of, scan_elf
from memlint.layers.kinds import may_be_whole, whole_file_bytes, whole_file_kind
from memlint.layers.loader_cache import LOADER_CACHE, parse_loader_cache
from memlint.layers.packages import Databases, database_of
from memlint.layers.release import OS_RELEASE, RELEASE_MAX, parse_release
from memlint.layers.script import SCRIPT_MAX, parse_script
from memlint.model.digest import ContentID, DiffID
from memlint.model.layer import Elf, LayerIndex, MappedFile, Package, Release, Script

WHITEOUT, OPAQUE, WHITEOUT_META = ".wh.", ".wh..wh..opq", ".wh..wh."
"""Names by which a layer's tar hides what lies below (OCI image-spec, layer.md, "Whiteouts")."""

_REPLACED_MAX = 100
"""Directories that a layer may itself replace by something else: each one costs a look at all paths."""


class Source(Protocol):
    """Where a regular file's bytes are."""

    def start(self, size: int, /) -> bytes:
        """A copy of its first `size` bytes, 512 at the most; fewer when it has fewer."""

    def contents(self) -> Iterator[memoryview]:
        """All its bytes; each chunk is valid until the next is asked for."""


class _Mapped(msgspec.Struct, frozen=True, eq=False):
    """A mapped file's inode before its names are known."""

    size: int
    content: ContentID
    mappable_bytes: int
    kind: str
    elf: Elf | None


class _Symlink(msgspec.Struct, frozen=True):
    target: str


class _FarLink(msgspec.Struct, frozen=True):
    """A hard link to a file that only a lower layer can hold."""

    target: str


class _Program(msgspec.Struct, frozen=True):
    interpreter: tuple[str, ...]
    passes_on: bool


_PLAIN = object()
_DIRECTORY = object()


class LayerBuilder:
    """One layer while it is walked. What comes later under a path replaces what was there, as unpacking would."""

    def __init__(self) -> None:
        self._nodes: dict[str, object] = {}
        self._whiteouts: set[str] = set()
        self._opaque: set[str] = set()
        self._databases = Databases()
        self._replaced = 0
        self._loader_cache: tuple[tuple[str, str], ...] | None = None
        self._releases: dict[str, Release] = {}

    def directory(self, path: str) -> None:
        if path:
            self._put(path, _DIRECTORY)

    def other(self, path: str) -> None:
        """A device, FIFO or socket."""
        self._put(path, _PLAIN)

    def symlink(self, path: str, target: str) -> None:
        self._put(path, _Symlink(target))

    def hard_link(self, path: str, target: str) -> None:
        node = self._nodes.get(target)
        self._put(path, _FarLink(target) if node is None or node is _DIRECTORY else node)

    def whiteout(self, path: str) -> None:
        self._whiteouts.add(path)
        self._parents(path)

    def opaque(self, path: str) -> None:
        self._opaque.add(path)

    def marker(self, path: str) -> bool:
        """Whether a tar entry of this path is a whiteout in one of its spellings; it is noted then."""
        parent, slash, name = path.rpartition("/")
        if not name.startswith(WHITEOUT):
            return False
        if name == OPAQUE:
            self.opaque(parent)
        elif name[len(WHITEOUT) :] in ("", ".", ".."):
            raise LayerError(
                f"has a whiteout of no file: {path[:200]!r}",
                "look at where the image comes from: no builder writes this",
            )
        elif not name.startswith(WHITEOUT_META):
            self.whiteout(parent + slash + name[len(WHITEOUT) :])
        return True

    def file(self, path: str, size: int, mode: Callable[[], int], source: Source) -> None:
        """A regular file. Its start is looked at first, its contents are asked for once at the most."""
        node: object = _PLAIN
        start = source.start(16)
        if start[:4] == b"\x7fELF":
            node = _mapped_elf(size, source.contents()) or _PLAIN
        elif start[:2] == b"#!" and mode() & 0o111:
            node = _Program(*parse_script(_leading(source.contents(), SCRIPT_MAX)))
        elif may_be_whole(start) and (kind := whole_file_kind(source.start(512), size)):
            node = _Mapped(size, digest_of(source.contents()), whole_file_bytes(size), kind, None)
        elif database_of(path) is not None:
            self._databases.add(path, size, source.contents())
        elif path == LOADER_CACHE:
            self._loader_cache = parse_loader_cache(_leading(source.contents(), 1 << 24))
        elif path in OS_RELEASE:
            self._release(path, _leading(source.contents(), RELEASE_MAX))
        self._put(path, node)

    def _release(self, path: str, content: bytes) -> None:
        found = parse_release(content)
        if found is not None:
            self._releases[path] = found

    def build(self, diff_id: DiffID) -> LayerIndex:
        """The layer as a value; equal layers give equal values, however they were walked."""
        nodes = self._nodes
        names: dict[object, str] = {}
        mapped: list[tuple[str, _Mapped]] = []
        scripts: list[Script] = []
        symlinks: dict[str, str] = {}
        far_links: dict[str, str] = {}
        others: list[str] = []
        directories: list[str] = []
        for path in sorted(nodes):
            node = nodes[path]
            if node is _PLAIN:
                others.append(path)
            elif node is _DIRECTORY:
                directories.append(path)
            elif isinstance(node, _Mapped):
                names.setdefault(node, path)
                mapped.append((path, node))
            elif isinstance(node, _Program):
                scripts.append(Script(path, node.interpreter, node.passes_on))
            elif isinstance(node, _Symlink):
                symlinks[path] = node.target
            elif isinstance(node, _FarLink):
                far_links[path] = node.target
        owners = self._owners(mapped)
        packages = tuple(sorted(set(owners.values())))
        numbers = {package: number for number, package in enumerate(packages)}
        return LayerIndex(
            diff_id=diff_id,
            files=tuple(_named(path, node, names[node], owners.get(path), numbers) for path, node in mapped),
            scripts=tuple(scripts),
            symlinks=symlinks,
            hardlinks=far_links,
            others=tuple(others),
            directories=tuple(directories),
            whiteouts=tuple(sorted(self._whiteouts)),
            opaque=tuple(sorted(self._opaque)),
            packages=packages,
            loader_cache=self._loader_cache if nodes.get(LOADER_CACHE) is _PLAIN else None,
            installed=tuple(self._databases.installed()),
            release=next((self._releases[path] for path in sorted(self._releases) if nodes[path] is _PLAIN), None),
        )

    def _owners(self, mapped: Sequence[tuple[str, _Mapped]]) -> dict[str, Package]:
        """The packages by the paths of their files. uv and pnpm link files out of their stores, databases too: whoever
        owns one name of an inode made it."""
        owners = self._databases.owners([path for path, _ in mapped])
        makers: dict[_Mapped, Package] = {}
        for path, node in mapped:
            if path in owners:
                makers.setdefault(node, owners[path])
        return {path: owners.get(path, makers[node]) for path, node in mapped if node in makers}

    def _put(self, path: str, node: object) -> None:
        nodes = self._nodes
        if node is not _DIRECTORY and nodes.get(path) is _DIRECTORY:
            self._remove_below(path)
        nodes[path] = node
        parent = path.rpartition("/")[0]
        if parent and nodes.get(parent) is not _DIRECTORY:
            self._parents(path)

    def _parents(self, path: str) -> None:
        """Directories that the tar takes for granted are made when it is unpacked."""
        while (path := path.rpartition("/")[0]) and self._nodes.get(path) is not _DIRECTORY:
            self._nodes[path] = _DIRECTORY

    def _remove_below(self, path: str) -> None:
        self._replaced += 1
        if self._replaced > _REPLACED_MAX:
            raise LayerError(
                f"puts a file in place of a directory of its own more than {_REPLACED_MAX} times",
                "look at where the image comes from: no builder writes this",
            )
        for below in [name for name in self._nodes if name.startswith(path + "/")]:
            del self._nodes[below]


def _named(path: str, node: _Mapped, link: str, owner: Package | None, numbers: dict[Package, int]) -> MappedFile:
    package = numbers[owner] if owner is not None else None
    return MappedFile(path, link, node.size, node.content, node.mappable_bytes, node.kind, node.elf, package)


def _mapped_elf(size: int, contents: Iterable[memoryview]) -> _Mapped | None:
    content, found = scan_elf(size, contents)
    if found is None:
        return None
    elf, mappable, kind = found
    return _Mapped(size, content, mappable, kind, elf)


def _leading(contents: Iterable[memoryview], most: int) -> bytes:
    """Up to `most` bytes of a file's start."""
    data = bytearray()
    for chunk in contents:
        data += chunk[: most - len(data)]
        if len(data) >= most:
            break
    return bytes(data)
