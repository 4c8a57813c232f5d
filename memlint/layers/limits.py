"""What a layer from a stranger may cost."""

from __future__ import annotations

import msgspec

MIB = 1 << 20
GIB = 1 << 30


class Limits(msgspec.Struct, frozen=True):
    """Bounds on one layer; passing one is a LayerError, never a slow death.

    `max_ratio` compares uncompressed with compressed bytes and is judged once a layer has given `RATIO_FLOOR` bytes:
    short runs of zeros compress a thousandfold in honest layers too. `absolute_names` takes `/bin/x` for `bin/x`, as
    Docker and containerd do, instead of refusing it.
    """

    max_layer_bytes: int = 64 * GIB
    max_ratio: int = 250
    max_entries: int = 4_000_000
    max_window: int = 128 * MIB
    absolute_names: bool = False


RATIO_FLOOR = 256 * MIB
"""Uncompressed bytes from which on the ratio is judged."""
MAX_EXTENDED_HEADER = MIB
"""Bytes of one PAX record set or GNU long name."""
MAX_EXTENDED_HEADERS = 32
"""PAX and GNU headers that may precede one entry; global ones count, too."""
MAX_DEPTH = 256
"""Directories above an entry. Each level of a walk on disk holds a descriptor, each implied parent some memory."""
MAX_SPARSE_SEGMENTS = 1 << 17
