"""Plans for fleets, built, started, and judged by the kernel: which pages their processes really hold twice.

What is built is the same as before, file by file and setting by setting.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.frames import Held, descendants, held

from . import plan_fleets
from .conftest import Memlint
from .daemons import Daemon
from .plan_fleets import COMPANY, COMPANY_BASES, FLEETS, Fleet
from .whole import changed, whole

pytestmark = pytest.mark.integration

SETTLED = 3.0
"""Seconds after which a service has loaded what it loads."""
TWICE = {"union": 0.02, "strict": 0.10}
"""Of the duplicate pages before, how many may be left."""


class Planned:
    """A fleet as it was built by its own Dockerfiles, and what its processes held then."""

    def __init__(self, docker: Daemon, fleet: Fleet, dockerfiles: dict[str, Path]) -> None:
        self.fleet, self.dockerfiles = fleet, dockerfiles
        self.before = measured(docker, fleet.images)
        self.wholes = {image: whole(docker, image) for image in fleet.images}

    def changed(self, docker: Daemon, tag: str, *, more: bool = False) -> dict[str, list[str]]:
        """What images of that tag have lost or have otherwise; `more` allows files that they did not have."""
        found = {
            image: changed(before, whole(docker, f"{image}:{tag}"), more=more) for image, before in self.wholes.items()
        }
        return {image: changes for image, changes in found.items() if changes}


@pytest.fixture(scope="module", params=FLEETS, ids=lambda fleet: fleet.name)
def planned(request: pytest.FixtureRequest, docker: Daemon, home: Path) -> Planned:
    fleet: Fleet = request.param
    return Planned(docker, fleet, plan_fleets.build(docker, fleet, home / "plans" / fleet.name))


@pytest.mark.parametrize("point", TWICE)
def test_pages_are_held_once(planned: Planned, point: str, docker: Daemon, memlint: Memlint) -> None:
    fleet, before = planned.fleet, planned.before
    directory = planned.dockerfiles[next(iter(planned.dockerfiles))].parents[1] / f"plan-{point}"
    plan = write(memlint, planned, directory, "--prefer", point)
    build(docker, directory, tag=point)
    assert planned.changed(docker, point, more=point == "union") == {}
    after = measured(docker, [f"{image}:{point}" for image in fleet.images])
    assert before.duplicate_bytes > 4_000_000
    assert after.duplicate_bytes <= TWICE[point] * before.duplicate_bytes
    # the services still map what they did
    assert after.pages == pytest.approx(before.pages, rel=0.1)
    predicted = plan["before"]["page_cache_bytes"] - plan["after"]["page_cache_bytes"]
    now = memlint.compare(*[f"docker-daemon:{image}:{point}" for image in fleet.images])
    saved = plan["before"]["page_cache_bytes"] - now["totals"]["mappable"]["page_cache_bytes"]
    assert saved == pytest.approx(predicted, rel=0.1)
    checked = memlint.run("plan", "--check", str(directory), *tagged(fleet, point))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_image_is_moved_onto_a_base_that_is_another(docker: Daemon, home: Path, memlint: Memlint) -> None:
    """One root file system lies below all of them; what a base adds to it, or only sets, stays what it is."""
    plan_fleets.build(docker, COMPANY_BASES, home / "plans/company")
    planned = Planned(docker, COMPANY, plan_fleets.build(docker, COMPANY, home / "plans/services"))
    directory = home / "plans/services/plan"
    plan = write(memlint, planned, directory, "--prefer", "strict")
    assert [(base["source"], base["images"]) for base in plan["bases"]] == [
        ("company/base", ["docker-daemon:services/pay", "docker-daemon:services/bill"])
    ]
    build(docker, directory, tag="planned")
    assert planned.changed(docker, "planned") == {}
    measured(docker, [f"{image}:planned" for image in COMPANY.images])
    checked = memlint.run("plan", "--check", str(directory), *tagged(COMPANY, "planned"))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_dockerfiles_keep_what_is_not_planned(planned: Planned, memlint: Memlint) -> None:
    directory = planned.dockerfiles[next(iter(planned.dockerfiles))].parents[1] / "plan-kept"
    write(memlint, planned, directory, "--prefer", "union")
    for service, dockerfile in planned.dockerfiles.items():
        before = dockerfile.read_text().splitlines()
        after = (directory / "services" / service / "Dockerfile").read_text().splitlines()
        lost = [line for line in before if line not in after]
        assert all(line.startswith(("FROM ", "COPY --from=build", "RUN chmod -R")) for line in lost), lost
        patched = subprocess.run(
            ["patch", "-o", "-", str(dockerfile), str(directory / "services" / service / "Dockerfile.diff")],
            check=True,
            capture_output=True,
            text=True,
        )
        assert patched.stdout.splitlines() == after


def tagged(fleet: Fleet, tag: str) -> list[str]:
    return [f"docker-daemon:{image}:{tag}" for image in fleet.images]


def write(memlint: Memlint, planned: Planned, directory: Path, *options: str) -> dict[str, Any]:
    """Run `memlint plan … --write`; the plan."""
    images = [f"docker-daemon:{image}" for image in planned.fleet.images]
    named = [f"--dockerfile={planned.fleet.name}/{name}={path}" for name, path in planned.dockerfiles.items()]
    done = memlint.run("plan", *images, *named, "--write", str(directory), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    plan: dict[str, Any] = json.loads((directory / "plan.json").read_text())
    return plan


def build(docker: Daemon, directory: Path, tag: str) -> None:
    """Run the plan's build.sh."""
    env = {**docker.env, "TAG": tag, "BUILD_ARGS": " ".join(plan_fleets.options())}
    done = subprocess.run([str(directory / "build.sh")], env=env, cwd="/", capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def measured(docker: Daemon, images: list[str]) -> Held:
    """What containers of these images hold, one of each, all at once. They must be running by then."""
    with running(docker, images) as pids:
        time.sleep(SETTLED)
        assert all(os.path.exists(f"/proc/{pid}") for pid in pids), "a service ended"
        return held([each for pid in pids for each in descendants(pid)])


@contextmanager
def running(docker: Daemon, images: list[str]) -> Iterator[list[int]]:
    names = [docker.docker("run", "--detach", "--network=none", image).strip() for image in images]
    try:
        yield [int(docker.docker("inspect", "--format={{.State.Pid}}", name)) for name in names]
    finally:
        docker.docker("rm", "--force", *names)
