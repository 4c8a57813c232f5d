"""What a plan writes, in the hands of those that read it: compose, builders that load archives, a daemon's ONBUILD."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from support import images
from support.elf import library

from .conftest import Memlint
from .daemons import Daemon, need, unmount_below

pytestmark = pytest.mark.integration

SHARED = library("shared", pages=500)
DOCKERFILE = "FROM debian:12\nCOPY shared.so /srv/\nCMD sleep 9\n"


def built(docker: Daemon, directory: Path, dockerfile: str, name: str) -> Path:
    """An image with the shared file, in a layer of its own."""
    directory.mkdir(parents=True)
    (directory / "shared.so").write_bytes(SHARED)
    place = directory / "Dockerfile"
    place.write_text(dockerfile)
    docker.docker("build", "--no-cache", f"--tag={name}", str(directory))
    return place


def test_compose_merges_the_override(docker: Daemon, scratch: Path, memlint: Memlint) -> None:
    need("docker-compose")
    names = ("api", "a web")
    for name in names:
        built(docker, scratch / name, DOCKERFILE, f"composed/{name.split()[-1]}")
    services = {
        name: {"build": f"./{name}", "image": f"composed/{name.split()[-1]}", "environment": {"A": "b"}}
        for name in ("api", "a web")
    }
    compose = scratch / "compose.yaml"
    named = {name.replace(" ", "-"): service for name, service in services.items()}
    compose.write_text(yaml.safe_dump({"version": "3.9", "services": named}))
    plan = scratch / "plan"
    images_ = [f"docker-daemon:{service['image']}" for service in services.values()]
    done = memlint.run("plan", *images_, "--compose", str(compose), "--write", str(plan))
    assert done.returncode == 0, done.stderr
    command = ["docker-compose", "-f", str(compose), "-f", str(plan / "compose.override.yaml"), "config"]
    merged = subprocess.run(command, env={**docker.env, "TAG": "7"}, capture_output=True, text=True)
    assert merged.returncode == 0, merged.stderr
    found = yaml.safe_load(merged.stdout)["services"]
    assert {name: service["image"] for name, service in found.items()} == {
        "api": "composed/api:7",
        "a-web": "composed/web:7",
    }
    assert all(service["environment"] == {"A": "b"} for service in found.values())


@pytest.mark.parametrize("form", ["oci", "docker-archive"])
@pytest.mark.parametrize("program", ["docker", "podman", "buildah"])
def test_bases_take_files_of_images_that_no_builder_has(
    program: str, form: str, scratch: Path, docker: Daemon, memlint: Memlint
) -> None:
    need("skopeo", program)
    specs = [images.image(f"{name}:1", {"srv/shared.so": SHARED, f"srv/{name}": name.encode()}) for name in "xy"]
    place = scratch / "lay out"
    if form == "oci":
        images.oci(*specs).write(place)
    else:
        images.write_tar(images.docker_skopeo(*specs), place)
    plan = scratch / "plan"
    done = memlint.run("plan", f"{form}:{place}", "--platform", "linux/amd64", "--write", str(plan))
    assert done.returncode == 0, done.stderr
    builder = scratch / program
    places = f"--root {scratch}/root --runroot {scratch}/run --storage-driver overlay"
    builder.write_text(f'#!/bin/sh\nexec /usr/bin/{program} {"" if program == "docker" else places} "$@"\n')
    builder.chmod(0o755)
    env = {**(docker.env if program == "docker" else os.environ), "BUILDER": str(builder)}
    done = subprocess.run([plan / "build.sh"], env=env, cwd="/", capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    # what was built holds the very file
    taken = scratch / "taken"
    taken.mkdir()
    base = json.loads((plan / "plan.json").read_text())["bases"][0]["reference"]
    (taken / "Dockerfile").write_text(f"FROM {base}\nCOPY check /\n")
    (taken / "check").write_text("x")
    subprocess.run([builder, "build", "--tag", "taken", str(taken)], env=env, check=True, capture_output=True)
    archive = scratch / "taken.tar"
    save = ["save", "-o", str(archive), "taken"]
    if program == "buildah":
        save = ["push", "taken", f"docker-archive:{archive}:taken"]
    subprocess.run([builder, *save], env=env, check=True, capture_output=True)
    found = memlint.compare(f"docker-archive:{archive}")
    assert found["totals"]["mappable"]["distinct_bytes"] == 500 * 4096
    unmount_below(scratch)


def test_triggers_of_a_base_that_only_the_daemon_knows(docker: Daemon, scratch: Path, memlint: Memlint) -> None:
    """They run where their image is the base: in a planned base's build, if one came between."""
    built(docker, scratch / "base", "FROM debian:12\nONBUILD RUN echo trigger > /triggered\n", "triggering")
    dockerfile = DOCKERFILE.replace("debian:12", "triggering")
    paths = {name: built(docker, scratch / name, dockerfile, f"onbuild/{name}") for name in "ab"}
    plain = built(docker, scratch / "plain", DOCKERFILE, "onbuild/plain")
    given = [f"--dockerfile=onbuild/{name}={path}" for name, path in {**paths, "plain": plain}.items()]
    names = [f"docker-daemon:onbuild/{name}" for name in ("a", "b", "plain")]
    plan = scratch / "plan"
    done = memlint.run("plan", *names, *given, "--write", str(plan))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("its base triggering has ONBUILD RUN echo trigger > /triggered") == 2
    assert (plan / "services/a/Dockerfile").read_text() == dockerfile
    env = {**docker.env, "TAG": "planned"}
    done = subprocess.run([plan / "build.sh"], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    shown = docker.docker("run", "--rm", "--network=none", "onbuild/a:planned", "cat", "/triggered")
    assert shown == "trigger\n"
