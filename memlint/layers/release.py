"""Which distribution a layer is of: os-release(5)."""

from __future__ import annotations

import re

from memlint.model.layer import Release

OS_RELEASE = frozenset({"etc/os-release", "usr/lib/os-release"})
RELEASE_MAX = 1 << 16
_LINE = re.compile(r"""^(ID|VERSION_ID)=(["']?)([A-Za-z0-9._-]{1,64})\2\s*$""", re.MULTILINE)


def parse_release(content: bytes) -> Release | None:
    """None for what names no distribution."""
    found = {key: value for key, _, value in _LINE.findall(content.decode("utf-8", "replace"))}
    return Release(found["ID"], found.get("VERSION_ID", "")) if "ID" in found else None
