"""Puts this directory on the path, so that every test finds `support`, and gives the fixtures that many share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from support.command import Memlint
from xdist.scheduler import LoadScopeScheduling

# no test is one of time: a busy machine is slow
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def command(tmp_path: Path) -> Memlint:
    """The real command, in an empty directory, with an empty cache and a clean environment."""
    return Memlint(tmp_path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Tests with real daemons go to one worker: they share daemons, and measure one host. All others go to either."""
    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = _scope
    return scheduling


def _scope(nodeid: str) -> str:
    return "integration" if nodeid.startswith("tests/integration/") else nodeid
