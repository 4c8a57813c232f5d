"""An overlay's layers, as its mount options name them (the kernel's filesystems/overlayfs.rst)."""

from __future__ import annotations

import re
from typing import NamedTuple

from memlint.kernel.mounts import unescaped

_PARTS = re.compile(r"(:{0,2})((?:\\.|[^\\:])+)", re.DOTALL)
"""Directories and what parts each from the one before: colons, unless a backslash stands before them."""


class OverlayOptions(NamedTuple):
    """Directories as they were given to mount(2): absolute, or relative to the directory of whoever mounted.

    `lower` goes from the topmost down; `data` are layers that hold nothing but the data of metacopy files.
    """

    upper: str | None
    lower: tuple[str, ...]
    data: tuple[str, ...]
    userxattr: bool


def overlay_options(options: bytes) -> OverlayOptions:
    """The options of an overlay mount, as mountinfo's last field has them."""
    upper, userxattr = None, False
    lower: list[str] = []
    data: list[str] = []
    for option in options.split(b","):
        key, _, escaped = option.partition(b"=")
        value = unescaped(escaped)
        if key == b"lowerdir":
            for colons, part in _PARTS.findall(value):
                (data if colons == "::" else lower).append(_plain(part))
        elif key == b"lowerdir+":  # fsconfig(2) alone has it, and takes it as it is
            lower.append(value)
        elif key == b"datadir+":
            data.append(value)
        elif key == b"upperdir":
            upper = _plain(value)
        userxattr |= key == b"userxattr"
    return OverlayOptions(upper, tuple(lower), tuple(data), userxattr)


def _plain(text: str) -> str:
    """A directory's name without the backslashes that guard commas, colons and themselves."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
