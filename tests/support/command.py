"""Runs the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FLEET = ROOT / "fixtures" / "fleet"
MEMLINT = (sys.executable, "-m", "memlint")
_FOREIGN = ("MEMLINT_", "DOCKER_", "XDG_")
_OTHERS = frozenset({"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONPATH"})


class Memlint:
    """`python -m memlint` in a directory, with a cache and a Docker configuration of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.own = {"XDG_CACHE_HOME": str(home / "cache"), "DOCKER_CONFIG": str(home / "docker-config")}

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a run: nothing of the user's that would change its result."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN) and k not in _OTHERS}
        return {**kept, "PYTHONPATH": str(ROOT), **self.own, **more}

    def run(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """One call, to its end."""
        done = subprocess.run(
            [*MEMLINT, *map(str, arguments)],
            cwd=self.home,
            env=self.env(**(env or {})),
            input=stdin,
            capture_output=True,
            timeout=60,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def report(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What `memlint compare --format json` prints, read."""
        done = self.run("compare", "--format", "json", *arguments, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def refused(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> tuple[str, str]:
        """The two lines of a call that cannot be answered: what is wrong, and what to do."""
        done = self.run(*arguments, env=env)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
        message, hint = done.stderr.splitlines()
        assert message.startswith("memlint: error: ")
        assert hint.startswith("  hint: ")
        return message, hint
