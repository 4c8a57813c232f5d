"""Puts this directory on the path, so that every test finds `support`, and gives the fixtures that many share."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command import Memlint


@pytest.fixture
def command(tmp_path: Path) -> Memlint:
    """The real command, in an empty directory, with an empty cache and a clean environment."""
    return Memlint(tmp_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with real daemons stay in one worker: they share daemons, and measure one host."""
    for item in items:
        if item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.xdist_group("integration"))
