"""A plan of Dockerfiles alone, built by podman: the same script, another builder, another store."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from . import plan_fleets
from .conftest import Memlint
from .daemons import need, unmount_below

pytestmark = pytest.mark.integration


def test_podman_builds_what_a_plan_of_dockerfiles_says(scratch: Path, rootfs: Path, memlint: Memlint) -> None:
    need("podman")
    builder = scratch / "podman"
    places = f"--root {scratch}/root --runroot {scratch}/run --storage-driver overlay"
    builder.write_text(f'#!/bin/sh\nexec podman {places} "$@"\n')
    builder.chmod(0o755)

    def podman(*arguments: str) -> str:
        return subprocess.run([builder, *arguments], check=True, capture_output=True, text=True).stdout

    archive = scratch / "rootfs.tar"
    subprocess.run(["tar", "-C", str(rootfs), "-cf", str(archive), "."], check=True)
    podman("import", str(archive), "debian:12")
    services = {name: plan_fleets.APT.dockerfiles[name] for name in ("api", "worker")}
    paths = plan_fleets.write_contexts(services, scratch)
    done = memlint.run("plan", *map(str, paths.values()), "--write", str(scratch / "plan"))
    assert done.returncode == 0, done.stderr
    env = {**os.environ, "BUILDER": str(builder), "BUILD_ARGS": " ".join(plan_fleets.options())}
    built = subprocess.run([scratch / "plan/build.sh"], env=env, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    layers = [json.loads(podman("inspect", f"{name}:memlint-plan"))[0]["RootFS"]["Layers"] for name in services]
    base = json.loads(podman("inspect", "memlint-plan/debian-12"))[0]["RootFS"]["Layers"]
    assert len(base) > 1
    assert all(each[: len(base)] == base for each in layers)
    # podman leaves its store bound to itself
    unmount_below(scratch)
