"""A layer's tar → LayerIndex."""

from __future__ import annotations

from memlint.errors import LayerError
from memlint.layers.builder import LayerBuilder
from memlint.layers.limits import Limits
from memlint.layers.stream import Promised, TarBlocks
from memlint.layers.tar import CHARACTER_DEVICE, DIRECTORY, HARD_LINK, REGULAR, SYMLINK, Blocks, TarReader
from memlint.model.digest import DiffID
from memlint.model.image import Reader
from memlint.model.layer import LayerIndex


def index_tar(reader: Reader, limits: Limits, promised: Promised, *, verify: bool = True) -> LayerIndex:
    """Read a layer once: its index, after diff ID, blob digest and size (where promised) were found to hold.

    Unverified, a layer goes by the diff ID promised. LayerError when one does not hold, when the bytes are no tar, or
    when a limit is passed.
    """
    with TarBlocks(reader, limits, promised, verify=verify) as blocks:
        builder = LayerBuilder()
        walk(TarReader(Blocks(blocks), limits), builder)
        found = blocks.verify()
    return builder.build(DiffID(promised.diff_id or found))


def walk(tar: TarReader, builder: LayerBuilder) -> None:
    """Put every entry of a layer's tar into the builder."""
    for entry in tar:
        path = entry.path
        if ".wh." in path and builder.marker(path):
            continue
        if not path and entry.type is not DIRECTORY:
            raise LayerError("has a file in place of its root directory", "the layer is damaged: build the image again")
        if entry.type is REGULAR:
            builder.file(path, entry.size, entry.mode, tar)
        elif entry.type is DIRECTORY:
            builder.directory(path)
        elif entry.type is SYMLINK:
            builder.symlink(path, entry.link)
        elif entry.type is HARD_LINK:
            builder.hard_link(path, entry.link)
        elif entry.type is CHARACTER_DEVICE and entry.device == (0, 0):
            builder.whiteout(path)
        else:
            builder.other(path)
