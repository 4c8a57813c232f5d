"""`memlint measure`, run for real."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from .stores.container import Running

Measurement = dict[str, Any]

POWERLESS = ["setpriv", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
"""Run before a command: root without any capability or group, of its own processes alone, and without page frames."""
HIDDEN = ["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh", *POWERLESS]
"""The same where /proc tells of no other processes."""


def measure(*arguments: str, before: Sequence[str] = ()) -> Measurement:
    """What `memlint measure ARGUMENTS` prints for programs, run under the command `before`."""
    command = [*before, sys.executable, "-m", "memlint", "measure", *arguments, "--format", "json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: Measurement = json.loads(done.stdout)
    return found


def of_containers(containers: Iterable[Running]) -> Measurement:
    """The same of these containers alone."""
    return measure("--container", ",".join(container.id for container in containers))


def of_processes(pids: Iterable[int]) -> Measurement:
    """The same of these processes alone."""
    return measure("--pid", ",".join(map(str, pids)))
