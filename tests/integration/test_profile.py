"""A profile of one fleet, and what it predicts for another one of the same software, judged by the kernel's frames."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.frames import Held, descendants, held

from . import plan_fleets
from .conftest import Memlint
from .daemons import Daemon
from .measuring import Measurement, measure
from .plan_fleets import APT, Fleet
from .profile_fleets import COUNTS, OTHER

pytestmark = pytest.mark.integration

SETTLED = 3.0
"""Seconds in which a service that has loaded all it loads maps nothing new."""
PATIENCE = 60.0
REPLICAS = 3
PROFILE, STARTUP = 0.05, 0.25
"""How far duplicate bytes may be from those measured, by a profile, and by what starting maps for certain."""


class Recorded(NamedTuple):
    """A fleet's profile, and what its containers held meanwhile."""

    profile: Path
    held: Held
    report: Measurement


@contextmanager
def containers(docker: Daemon, images: Sequence[str]) -> Iterator[list[str]]:
    """A container of each image, by ID, once all of them work."""
    names: list[str] = []
    try:
        names += [docker.docker("run", "--detach", "--network=none", image).strip() for image in images]
        settle(docker, names)
        yield names
    finally:
        docker.docker("rm", "--force", *names)


def settle(docker: Daemon, names: Sequence[str]) -> None:
    """Until they map nothing new: a busy machine is slow to start them."""
    deadline = time.monotonic() + PATIENCE
    before: list[str] | None = None
    while (now := [Path(f"/proc/{pid}/statm").read_text() for pid in pids(docker, names)]) != before:
        assert time.monotonic() < deadline, "the services never come to rest"
        before = now
        time.sleep(SETTLED)


def pids(docker: Daemon, names: Sequence[str]) -> list[int]:
    tops = docker.docker("inspect", "--format={{.State.Pid}}", *names).split()
    return [pid for top in tops for pid in descendants(int(top))]


def images_of(fleet: Fleet, counts: dict[str, int]) -> list[str]:
    return [image for image in fleet.images for _ in range(counts.get(image.partition("/")[2], 1))]


@pytest.fixture(scope="module")
def recorded(docker: Daemon, home: Path) -> Recorded:
    """The profile of one run of one fleet, with several containers of each image: single starts differ."""
    plan_fleets.build(docker, APT, home / "recorded")
    plan_fleets.build(docker, OTHER, home / "other")
    place = home / "fleet.profile.json"
    with containers(docker, APT.images * REPLICAS) as names:
        report = measure("--container", ",".join(names), "--record", str(place))
        return Recorded(place, held(pids(docker, names)), report)


def compared(memlint: Memlint, fleet: Fleet, counts: dict[str, int], profile: Path) -> dict[str, Any]:
    replicas = [f"--replicas=docker-daemon:{fleet.name}/{name}={count}" for name, count in counts.items()]
    report = memlint.compare(
        *[f"docker-daemon:{image}" for image in fleet.images], *replicas, "--profile", str(profile)
    )
    totals: dict[str, Any] = report
    return totals


def test_what_was_recorded_is_what_the_frames_say(recorded: Recorded) -> None:
    totals = recorded.report["totals"]
    assert totals["duplicate_bytes"] == recorded.held.duplicate_bytes
    assert totals["file_pages_bytes"] == recorded.held.frames * 4096


def test_a_profile_holds_no_names(recorded: Recorded) -> None:
    text = recorded.profile.read_text()
    names = [name for each in recorded.report["containers"] for name in (each["id"], each["name"], each["image"])]
    assert not any(name in text for name in (*names, "/usr/", os.uname().nodename))
    profile = json.loads(text)
    assert profile["schema"] == "memlint.profile/1"
    assert profile["recordings"] == 1
    assert sorted(each["seen"] for each in profile["ran"]) == [REPLICAS, REPLICAS, 3 * REPLICAS]


def test_another_fleet_of_the_same_software(memlint: Memlint, docker: Daemon, recorded: Recorded) -> None:
    """The proof: 5 % by profile; at startup is a guess that loading plugins and short programs make wrong."""
    report = compared(memlint, OTHER, COUNTS, recorded.profile)
    with containers(docker, images_of(OTHER, COUNTS)) as names:
        measured = held(pids(docker, names)).duplicate_bytes
        found = memlint.run(
            "verify",
            *[f"docker-daemon:{image}" for image in OTHER.images],
            *("--container", ",".join(names)),
            *("--profile", str(recorded.profile), "--tolerance", str(PROFILE), "--format", "json"),
        )
    totals = {basis: each["duplicate_bytes"] / measured for basis, each in report["totals"].items()}
    assert totals["profile"] == pytest.approx(1, abs=PROFILE), totals
    assert totals["startup"] == pytest.approx(1, abs=STARTUP), totals
    assert totals["mappable"] > 1.5
    assert report["profile"]["unknown"] == []
    assert found.returncode == 0, found.stdout + found.stderr
    verified = json.loads(found.stdout)
    predicted = {each["basis"]: each["totals"] for each in verified["predicted"]}
    assert predicted == report["totals"]
    assert verified["contradictions"] == []
    assert verified["agreement"]["shared"] >= 5
    assert sum(len(each["containers"]) for each in verified["images"]) == sum(COUNTS.values())
    # ELF files alone: a locale and a table of character sets are measured besides
    assert verified["measured"]["duplicate_bytes"] == pytest.approx(measured, rel=0.02)


def test_recordings_add_up(memlint: Memlint, docker: Daemon, recorded: Recorded, tmp_path: Path) -> None:
    place = tmp_path / "p.json"
    place.write_bytes(recorded.profile.read_bytes())
    with containers(docker, APT.images) as names:
        measure("--container", ",".join(names), "--record", str(place))
        measured = held(pids(docker, names)).duplicate_bytes
    assert json.loads(place.read_text())["recordings"] == 2
    totals = compared(memlint, APT, {}, place)["totals"]
    assert totals["profile"]["duplicate_bytes"] == pytest.approx(measured, rel=PROFILE)
    assert totals["startup"]["duplicate_bytes"] == pytest.approx(measured, rel=STARTUP)


def test_a_profile_of_another_fleet_says_so(memlint: Memlint, recorded: Recorded) -> None:
    report = memlint.compare("docker-daemon:debian:12", "--profile", str(recorded.profile))
    assert report["profile"]["unknown"] == ["docker-daemon:debian:12"]
    assert report["totals"]["profile"] is None


def test_what_runs_is_shared_otherwise_after_a_copy_up(memlint: Memlint, docker: Daemon, recorded: Recorded) -> None:
    image = APT.images[0]
    with containers(docker, [image, image]) as names:
        only = ("--container", ",".join(names))
        assert memlint.run("verify", image, *only).returncode == 0
        docker.docker("exec", names[0], "chmod", "755", "/usr/bin/python3.11")
        docker.docker("restart", "--time=0", names[0])
        settle(docker, names)
        done = memlint.run("verify", image, *only, "--format", "json")
    assert done.returncode == 1, done.stderr
    (wrong,) = json.loads(done.stdout)["contradictions"]
    assert (wrong["verdict"], wrong["sharers"][0]["path"]) == ("not shared", "/usr/bin/python3.11")
    assert wrong["reason"].startswith("copied up in ")


def test_images_that_do_not_run_are_no_answer(memlint: Memlint, recorded: Recorded) -> None:
    done = memlint.run("verify", "docker-daemon:fleet/links")
    assert done.returncode == 2
    assert "no container of docker-daemon:fleet/links runs here" in done.stderr
