"""`memlint verify` beside containers that are not of the images: of earlier builds, and of other daemons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from .conftest import Memlint
from .daemons import Daemon, dockerd
from .stores.container import Fleet
from .stores.engines import Docker, running

pytestmark = pytest.mark.integration

TAG = "verify/moving"


def document(done: CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def moving(docker: Daemon, small: Path) -> Iterator[list[str]]:
    """A container of what a tag was, then one of what it is: the same software on another chain."""
    assert small.exists()  # and its images are built
    engine = Docker(docker, "overlay2")
    names: list[str] = []
    for image in ("store/a", "store/b"):
        docker.docker("tag", image, TAG)
        names.append(f"moving-{len(names)}")
        engine.start(TAG, names[-1])
    yield names
    engine.remove(names)
    docker.docker("rmi", TAG)


def test_a_container_of_an_earlier_build_is_not_held_against_the_model(memlint: Memlint, moving: list[str]) -> None:
    old, new = moving
    done = memlint.run("verify", TAG, "--container", ",".join(moving), "-f", "json")
    found = document(done)
    assert (done.returncode, found["contradictions"]) == (2, [])
    assert len(found["images"][0]["containers"]) == 1
    assert [each["what"] for each in found["unseen"] if each["totals"]] == [f"container {old}"]
    assert memlint.run("verify", TAG, "--container", new).returncode == 0
    done = memlint.run("verify", TAG, "--container", old)
    assert done.returncode == 2
    assert f"other builds run in {old}" in done.stderr


def test_containers_of_another_daemon(memlint: Memlint, docker: Daemon, home: Path, small: Path) -> None:
    """They are none of this daemon's images, though they have their names and IDs; nor do they share its pages."""
    with TemporaryDirectory(dir=home) as directory, dockerd(Path(directory)) as second:
        theirs, ours = Docker(second, "overlay2"), Docker(docker, "overlay2")
        theirs.load(small)
        with running(theirs, ["store/c"]) as (other,):
            done = memlint.run("verify", "docker-daemon:store/c")
            assert done.returncode == 2
            assert "no container of docker-daemon:store/c runs here" in done.stderr
            with running(ours, ["store/c"]) as (own,):
                done = memlint.run("verify", "docker-daemon:store/c", "-f", "json")
                assert (done.returncode, document(done)["images"][0]["containers"]) == (0, [own.id])
                done = memlint.run("verify", f"docker-archive:{small}:store/c", "--container", f"{own.id},{other.id}")
                assert done.returncode == 2
                assert "run in 2 stores, which share no page with each other" in done.stderr
                done = memlint.run("verify", f"docker-archive:{small}:store/c", "--container", other.id)
                assert done.returncode == 0, done.stderr


def test_engines_keep_which_image_a_container_is_of(store: Fleet, small: Path, tmp_path: Path) -> None:
    """Though all of them run the same program, and some map nothing but what others have."""
    wanted = ",".join(each.id for each in store.containers)
    memlint = Memlint(tmp_path, "unix:///nowhere")
    done = memlint.run(
        "verify", f"docker-archive:{small}", "--storage", store.storage, "--container", wanted, "-f", "json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected: dict[str, set[str]] = {}
    for each in store.containers:
        expected.setdefault(each.image, set()).add(each.id)
    assert {each["name"]: set(each["containers"]) for each in document(done)["images"]} == {
        name.removeprefix("store/"): ids for name, ids in expected.items()
    }
