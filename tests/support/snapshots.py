"""Texts for people, as they were when somebody last looked at them."""

from __future__ import annotations

import os
from pathlib import Path


def assert_snapshot(path: Path, text: str) -> None:
    """The text is the file's; MEMLINT_UPDATE_SNAPSHOTS=1 writes it anew."""
    if os.environ.get("MEMLINT_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
