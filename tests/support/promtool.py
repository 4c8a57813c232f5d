"""Prometheus' own judge of metrics and rules."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from support.lacking import lacking


def promtool(*arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> str:
    """What it says, all of it; an AssertionError when it is not content. A machine without it skips, but not CI."""
    if shutil.which("promtool") is None:
        lacking("promtool")
    done = subprocess.run(
        ["promtool", *map(str, arguments)], input=stdin, cwd=cwd, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{stdin}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
