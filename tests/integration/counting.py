"""An independent count: pyelftools and the kernel's own inodes, nothing of memlint's."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from elftools.common.exceptions import ELFError
from elftools.elf.constants import P_FLAGS
from elftools.elf.elffile import ELFFile

from .daemons import Daemon

PAGE = 4096


class Inode(NamedTuple):
    """One file of one layer as the kernel tells it apart. Containers that map it share its page cache."""

    device: int
    number: int


class Mapped(NamedTuple):
    """What an inode holds: its mappable bytes and the digest of its content."""

    mappable: int
    content: str


class Count(NamedTuple):
    """The totals of a fleet."""

    page_cache: int
    distinct: int


Layer = dict[Inode, Mapped]
"""What of one layer is visible in an image, and mappable."""


def count(images: list[list[Layer]]) -> Count:
    """The totals of containers of `images` on one host."""
    inodes = {inode: mapped for layers in images for layer in layers for inode, mapped in layer.items()}
    contents = {mapped.content: mapped.mappable for mapped in inodes.values()}
    return Count(sum(mapped.mappable for mapped in inodes.values()), sum(contents.values()))


def visible(daemon: Daemon, image: str, known: dict[Inode, Mapped | None]) -> list[Layer]:
    """Each mappable inode of `image`'s merged root file system in its layer, bottom first.

    `known` remembers the inodes measured before.
    """
    layers = layer_directories(daemon, image)
    found: list[Layer] = [{} for _ in layers]
    with mounted(layers, daemon.home / "merged") as root:
        for path in _regular_files(root):
            # The merged view says what is visible; the topmost layer that has it says which inode that is.
            number = next(number for number, layer in enumerate(layers) if os.path.lexists(layer / path))
            real = layers[number] / path
            status = real.lstat()
            inode = Inode(status.st_dev, status.st_ino)
            if inode not in known:
                known[inode] = measure(real)
            if mapped := known[inode]:
                found[number][inode] = mapped
    return found[::-1]


def layer_directories(daemon: Daemon, image: str) -> list[Path]:
    """The image's overlay2 directories, topmost first."""
    form = "{{.GraphDriver.Data.UpperDir}}{{with .GraphDriver.Data.LowerDir}}:{{.}}{{end}}"
    return [Path(directory) for directory in daemon.docker("inspect", "-f", form, image).strip().split(":")]


def measure(path: Path) -> Mapped | None:
    """An ELF file's pages that its segments map without write permission; None when it has none."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
        try:
            segments = list(ELFFile(file).iter_segments("PT_LOAD"))
        except ELFError:
            return None
        pages: set[int] = set()
        for segment in segments:
            if not segment["p_flags"] & P_FLAGS.PF_W:
                pages.update(_pages(segment["p_offset"], segment["p_filesz"]))
        pages &= set(_pages(0, path.stat().st_size))
        file.seek(0)
        return Mapped(len(pages) * PAGE, hashlib.sha256(file.read()).hexdigest()) if pages else None


def _pages(offset: int, length: int) -> range:
    return range(offset // PAGE, -(-(offset + length) // PAGE) if length else offset // PAGE)


def _regular_files(root: Path) -> Iterator[str]:
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield str(path.relative_to(root))


@contextmanager
def mounted(layers: list[Path], target: Path) -> Iterator[Path]:
    """The layers as a container sees them."""
    if len(layers) == 1:  # overlayfs wants two
        yield layers[0]
        return
    target.mkdir(exist_ok=True)
    options = "ro,lowerdir=" + ":".join(map(str, layers))
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(target)], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True)
