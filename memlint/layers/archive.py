"""A layer's tar → LayerIndex."""

from __future__ import annotations

from memlint.errors import LayerError
from memlint.layers.builder import LayerBuilder
from memlint.layers.limits import Limits
from memlint.layers.stream import TarBlocks
from memlint.layers.tar import CHARACTER_DEVICE, DIRECTORY, HARD_LINK, REGULAR, SYMLINK, Blocks, TarReader
from memlint.model.digest import DiffID, Digest
from memlint.model.image import Reader
from memlint.model.layer import LayerIndex


def index_tar(
    reader: Reader,
    limits: Limits,
    *,
    size: int | None = None,
    diff_id: DiffID | None = None,
    digest: Digest | None = None,
    verify: bool = True,
) -> LayerIndex:
    """Read a layer once: its index, after diff ID, blob digest and size (where given) were found to hold.

    LayerError when they do not, when the bytes are no tar, or when a limit is passed.
    """
    if diff_id is None and not verify:
        raise ValueError("an unverified layer needs a diff ID to go by")
    with TarBlocks(reader, limits, stored_size=size, verify=verify) as blocks:
        builder = LayerBuilder()
        walk(TarReader(Blocks(blocks), limits), builder)
        found = blocks.verify(diff_id, digest)
    return builder.build(DiffID(found) if verify or diff_id is None else diff_id)


def walk(tar: TarReader, builder: LayerBuilder) -> None:
    """Put every entry of a layer's tar into the builder."""
    for entry in tar:
        path = entry.path
        if ".wh." in path and builder.marker(path):
            continue
        if entry.type is REGULAR:
            _expect_name(path)
            builder.file(path, entry.size, entry.mode, tar.front(), tar.contents)
        elif entry.type is DIRECTORY:
            builder.directory(path)
        elif entry.type is SYMLINK:
            _expect_name(path)
            builder.symlink(path, entry.link)
        elif entry.type is HARD_LINK:
            _expect_name(path)
            builder.hard_link(path, entry.link)
        elif entry.type is CHARACTER_DEVICE and entry.device == (0, 0):
            builder.whiteout(path)
        else:
            builder.other(path)


def _expect_name(path: str) -> None:
    if not path:
        raise LayerError("has a file in place of its root directory", "the layer is damaged: build the image again")
