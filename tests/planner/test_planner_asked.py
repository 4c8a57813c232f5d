"""What a call of `memlint.plan` asks for and cannot be."""

from __future__ import annotations

from typing import Any

import pytest

import memlint
from memlint.errors import UsageError


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"prefer": "best"}, "'best' is no point of a plan"),
        ({"basis": "resident"}, "'resident' is no basis of a plan"),
        ({"nodes": 0}, "0 nodes"),
        ({"kinds": ("text",)}, "'text' is no kind of file"),
    ],
)
def test_what_there_is_not_is_refused(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        memlint.plan(["oci:absent"], **asked)
