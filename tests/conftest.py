"""Puts this directory on the path, so that every test finds `support`, and gives the fixtures that many share."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Memlint


@pytest.fixture
def command(tmp_path: Path) -> Memlint:
    """The real command, in an empty directory, with an empty cache and a clean environment."""
    return Memlint(tmp_path)
