"""Programs packed with UPX in compared images."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.lint.compared import Compared, unshared_hits
from memlint.lint.thresholds import Bytes
from memlint.model.finding import Hit
from memlint.model.report import UPX


def packed_files(compared: Compared, *, min_bytes: Bytes) -> Iterator[Hit]:
    """The layers with packed programs; `min_bytes` is compared with the size of the packed files."""
    return unshared_hits(compared, UPX, min_bytes)
