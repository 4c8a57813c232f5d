"""A daemon with the fleet in it, once for the whole session, and memlint to run on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from . import fleet
from .counting import Inode, Layer, Mapped, visible
from .daemons import Daemon, dockerd, need
from .stores import images
from .stores.container import Fleet
from .stores.engines import running
from .stores.places import STORES

Report = dict[str, Any]


class Memlint:
    """The real command, in a directory and with a cache of its own."""

    def __init__(self, home: Path, host: str) -> None:
        self.home = home
        self.host = host

    def run(
        self, *arguments: str, host: str | None = None, before: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run `memlint ARGUMENTS`, asking the daemon at `host`, under the command `before`."""
        command = [
            *before,
            sys.executable,
            "-m",
            "memlint",
            *arguments,
            "--cache-dir",
            str(self.home / "cache"),
        ]
        env = {**os.environ, "DOCKER_HOST": host or self.host}
        return subprocess.run(
            command,
            cwd=self.home,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def json(self, *arguments: str, host: str | None = None, before: Sequence[str] = ()) -> str:
        """What `memlint compare ARGUMENTS` prints for programs."""
        done = self.run("compare", *arguments, "--format", "json", host=host, before=before)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    def compare(self, *arguments: str) -> Report:
        """The same, read."""
        report: Report = json.loads(self.json(*arguments))
        return report


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A short-lived directory: a daemon's storage is too big for pytest's, which outlive the session."""
    with TemporaryDirectory(prefix="memlint-") as directory:
        yield Path(directory)


@pytest.fixture
def scratch(home: Path) -> Iterator[Path]:
    """Room for one test's big files; pytest would keep those of its tmp_path for two sessions more."""
    # what an engine still writes behind our back goes with the home
    with TemporaryDirectory(dir=home, ignore_cleanup_errors=True) as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def rootfs(home: Path) -> Path:
    """Debian 12; kept between sessions in MEMLINT_TEST_CACHE, if that is set."""
    need("debootstrap", "dockerd", "docker")
    kept = Path(os.environ.get("MEMLINT_TEST_CACHE", home))
    final = kept / "bookworm"
    if not final.exists():
        partial = kept / "bookworm.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        fleet.bootstrap(partial)
        partial.rename(final)
    return final


@pytest.fixture(scope="session")
def docker(home: Path, rootfs: Path) -> Iterator[Daemon]:
    """The tests' own dockerd, with every image of the fleet."""
    place = home / "docker"
    context = place / "context"
    context.mkdir(parents=True)
    with dockerd(place) as daemon:
        fleet.build(daemon, rootfs, context)
        yield daemon


@pytest.fixture(scope="session")
def saved(home: Path, docker: Daemon) -> Path:
    """All images in one `docker save`."""
    archive = home / "saved.tar"
    docker.docker("save", "--output", str(archive), *fleet.NAMES)
    return archive


@pytest.fixture(scope="session")
def counted(docker: Daemon) -> Callable[[str], list[Layer]]:
    """What an independent count finds in an image; each file is measured once in a session."""
    known: dict[Inode, Mapped | None] = {}
    return cache(lambda image: visible(docker, image, known))


@pytest.fixture
def memlint(tmp_path: Path, docker: Daemon) -> Memlint:
    """memlint with an empty cache, asking the tests' daemon."""
    return Memlint(tmp_path, docker.host)


@pytest.fixture(scope="session")
def small(docker: Daemon) -> Path:
    """The small fleet in one `docker save`."""
    archive = docker.home / "small.tar"
    images.build(docker, docker.home / "context", archive)
    return archive


@pytest.fixture(scope="session", params=STORES)
def store(request: pytest.FixtureRequest, home: Path, small: Path) -> Iterator[Fleet]:
    """Two containers of each small image, asleep, on each store in turn."""
    with TemporaryDirectory(dir=home) as directory, STORES[request.param](Path(directory)) as engine:
        engine.load(small)
        with running(engine, images.NAMES, 2) as containers:
            yield Fleet(engine.storage, containers)
