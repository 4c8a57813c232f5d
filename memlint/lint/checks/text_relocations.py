"""Programs and libraries with text relocations in compared images."""

from __future__ import annotations

from collections.abc import Iterator

from memlint.lint.compared import Compared, unshared_hits
from memlint.lint.thresholds import Bytes
from memlint.model.finding import Hit
from memlint.model.report import TEXTREL


def text_relocations(compared: Compared, *, min_bytes: Bytes) -> Iterator[Hit]:
    """The layers with such files; `min_bytes` is compared with the size of the files."""
    return unshared_hits(compared, TEXTREL, min_bytes)
