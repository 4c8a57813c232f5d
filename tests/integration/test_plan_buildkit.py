"""A fleet and its plan, both built by BuildKit: histories of another wording, and another COPY."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import plan_fleets
from .conftest import Memlint
from .daemons import Daemon
from .plan_fleets import VENDORED
from .test_plan import Planned, build, measured, tagged, write

pytestmark = pytest.mark.integration

FLEET = VENDORED._replace(name="buildkit")


def test_buildkit_builds_what_a_plan_says(docker: Daemon, scratch: Path, memlint: Memlint) -> None:
    buildkit = docker.with_buildkit()
    dockerfiles = plan_fleets.build(buildkit, FLEET, scratch / "fleet")
    planned = Planned(docker, FLEET, dockerfiles)
    plan = write(memlint, planned, scratch / "plan", "--prefer", "union")
    build(buildkit, scratch / "plan", tag="planned")
    assert planned.changed(docker, "planned", more=True) == {}
    for image in FLEET.images:
        assert "# buildkit" in docker.docker("history", "--no-trunc", f"{image}:planned")
    after = measured(docker, [f"{image}:planned" for image in FLEET.images])
    assert planned.before.duplicate_bytes > 4_000_000
    assert after.duplicate_bytes <= 0.02 * planned.before.duplicate_bytes
    now = memlint.compare(*tagged(FLEET, "planned"))["totals"]["mappable"]["page_cache_bytes"]
    assert now == plan["after"]["page_cache_bytes"]
    checked = memlint.run("plan", "--check", str(scratch / "plan"), *tagged(FLEET, "planned"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
