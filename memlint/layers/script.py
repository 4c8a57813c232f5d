"""What a `#!` file starts, as far as its text tells for certain."""

from __future__ import annotations

import re

SCRIPT_MAX = 256 << 10
"""Bytes of a script that are looked at."""
_LINE_MAX = 256
"""The kernel's BINPRM_BUF_SIZE: what of the first line is heeded."""
_PASSES_ON = re.compile(rb"""^[ \t]*exec[ \t][^\n#;|&]*("\$@"|\$@|"\$\{@\}")""", re.MULTILINE)


def parse_script(data: bytes) -> tuple[tuple[str, ...], bool]:
    """(interpreter and its one argument, whether the script runs its own arguments by `exec … "$@"`)."""
    line = data[2:_LINE_MAX].partition(b"\n")[0].strip(b" \t\r").decode("utf-8", "backslashreplace")
    return tuple(line.split(None, 1)), bool(_PASSES_ON.search(data))
