"""A plan of Dockerfiles alone, built by podman and buildah: the same script, other builders, another store."""

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


@pytest.mark.parametrize("program", ["podman", "buildah"])
def test_another_builder_builds_what_a_plan_of_dockerfiles_says(
    program: str, scratch: Path, rootfs: Path, memlint: Memlint
) -> None:
    need(program)
    builder = scratch / program
    places = f"--root {scratch}/root --runroot {scratch}/run --storage-driver overlay"
    builder.write_text(f'#!/bin/sh\nexec {program} {places} "$@"\n')
    builder.chmod(0o755)

    def run(*arguments: str) -> str:
        return subprocess.run([builder, *arguments], check=True, capture_output=True, text=True).stdout

    def layers(image: str) -> list[str]:
        inspected = json.loads(run("inspect", "--type=image", image))
        found = inspected[0]["RootFS"]["Layers"] if program == "podman" else inspected["OCIv1"]["rootfs"]["diff_ids"]
        return list(found)

    context = scratch / "debian"
    context.mkdir()
    subprocess.run(["tar", "-C", str(rootfs), "-cf", str(context / "rootfs.tar"), "."], check=True)
    (context / "Dockerfile").write_text("FROM scratch\nADD rootfs.tar /\n")
    run("build", "--tag=debian:12", str(context))
    services = {name: plan_fleets.APT.dockerfiles[name] for name in ("api", "worker")}
    paths = plan_fleets.write_contexts(services, scratch)
    done = memlint.run("plan", *map(str, paths.values()), "--write", str(scratch / "plan"))
    assert done.returncode == 0, done.stderr
    env = {**os.environ, "BUILDER": str(builder), "BUILD_ARGS": " ".join(plan_fleets.options())}
    built = subprocess.run([scratch / "plan/build.sh"], env=env, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    base = layers((scratch / "plan/services/api/Dockerfile").read_text().split()[1])
    assert len(base) > 1
    assert all(layers(f"{name}:memlint-plan")[: len(base)] == base for name in services)
    # they leave their store bound to itself
    unmount_below(scratch)
