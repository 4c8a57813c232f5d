"""What a test needs of the machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip on a developer's machine, fail in CI: there a skipped test is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"CI lacks {what}")
    pytest.skip(f"lacking {what}")
