"""Paths and libraries as the kernel and the dynamic loader would find them inside an image.

ld.so(8), and glibc's elf/dl-load.c for the order: DT_RPATH unless there is a DT_RUNPATH, LD_LIBRARY_PATH, DT_RUNPATH,
ld.so.cache, the default directories.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from memlint.model.layer import Elf
from memlint.sharing.view import LOADER_CACHE, LoaderCache, Symlink, View, Visible

_LINKS_MAX = 40
"""Linux' MAXSYMLINKS."""
_TRIPLETS = {
    (64, "<", 62): "x86_64-linux-gnu",
    (64, "<", 183): "aarch64-linux-gnu",
    (32, "<", 3): "i386-linux-gnu",
    (32, "<", 40): "arm-linux-gnueabihf",
    (64, "<", 21): "powerpc64le-linux-gnu",
    (64, ">", 22): "s390x-linux-gnu",
    (64, "<", 243): "riscv64-linux-gnu",
}
"""ELF machines → Debian's multiarch directories, which its glibc searches by default."""


def resolve(view: View, path: str) -> str:
    """An absolute path with all its symlinks followed inside the image, without the leading slash."""
    todo = [part for part in path.split("/") if part][::-1]
    done: list[str] = []
    followed = 0
    while todo:
        part = todo.pop()
        if part == "..":
            done = done[:-1]
        elif part != ".":
            node = view.nodes.get("/".join((*done, part)))
            if isinstance(node, Symlink) and followed < _LINKS_MAX:
                followed += 1
                if node.target.startswith("/"):
                    done = []
                todo += [step for step in node.target.split("/") if step][::-1]
            else:
                done.append(part)
    return "/".join(done)


def closure(view: View, path: str, env: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """What starting the ELF file at `path` maps: (paths of the files, names that were not found)."""
    start = _elf_at(view, path)
    if start is None:
        return set(), set()
    found, missing = {path}, set()
    preloads = env.get("LD_PRELOAD", "").replace(":", " ").split()
    todo: list[tuple[str, str, tuple[str, ...]]] = [(path, name, ()) for name in preloads]
    todo += _wants(path, start, ())
    while todo:
        asker, name, inherited = todo.pop()
        library = find_library(view, name, asker, start, inherited, env)
        if library is None:
            missing.add(name)
        elif library not in found:
            found.add(library)
            elf = _elf_at(view, library)
            todo += _wants(library, elf, inherited) if elf else []
    return found, missing


def find_library(
    view: View, name: str, asker: str, start: Elf, rpaths: Sequence[str], env: Mapping[str, str]
) -> str | None:
    """The path of the library `name` that the object at `asker` needs in a process of the machine of `start`."""
    if "/" in name:
        candidates = iter([name if name.startswith("/") else f"/{name}"])
    else:
        candidates = _candidates(view, name, asker, start, rpaths, env)
    for candidate in candidates:
        path = resolve(view, candidate)
        elf = _elf_at(view, path)
        if elf is not None and elf.machine == start.machine:
            return path
    return None


def _wants(path: str, elf: Elf, inherited: tuple[str, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    """(asker, name, DT_RPATHs in force) of what an object asks for, its interpreter included."""
    own = () if elf.runpath else tuple(_expanded(part, path) for part in elf.rpath)
    names = ([elf.interp] if elf.interp else []) + list(elf.needed)
    return [(path, name, (*own, *inherited)) for name in names]


def _candidates(
    view: View, name: str, asker: str, start: Elf, rpaths: Sequence[str], env: Mapping[str, str]
) -> Iterator[str]:
    elf = _elf_at(view, asker)
    runpath = elf.runpath if elf else ()
    places = [] if runpath else list(rpaths)
    places += [part for part in env.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":") if part]
    places += [_expanded(part, asker) for part in runpath]
    for place in places:
        yield f"{place}/{name}"
    cache = view.nodes.get(LOADER_CACHE)
    if isinstance(cache, LoaderCache):
        yield from cache.entries.get(name, ())
    triplet = _TRIPLETS.get(start.machine)
    if triplet:
        yield from (f"/lib/{triplet}/{name}", f"/usr/lib/{triplet}/{name}")
    width = "lib64" if start.machine[0] == 64 else "lib"
    yield from (
        f"/{width}/{name}",
        f"/usr/{width}/{name}",
        f"/lib/{name}",
        f"/usr/lib/{name}",
        f"/usr/local/lib/{name}",
    )


def _expanded(part: str, asker: str) -> str:
    origin = "/" + posixpath.dirname(asker)
    return part.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)


def _elf_at(view: View, path: str) -> Elf | None:
    node = view.nodes.get(path)
    return node.file.elf if isinstance(node, Visible) else None
