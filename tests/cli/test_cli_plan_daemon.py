"""Plans of a daemon's images: it is asked what the names in FROM mean by now, and which digests it knows."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import images
from support.command import Memlint
from support.daemon import Daemon, serving
from support.elf import TOOLS, library

SHARED = library("shared", pages=500)
ROOTFS: images.Files = {**TOOLS, "etc/os-release": b"ID=debian\nVERSION_ID=12\n"}
OLD, NEW = images.Layer(ROOTFS, "ADD rootfs"), images.Layer({**ROOTFS, "etc/motd": b"new"}, "ADD rootfs")
DIGEST, OLDER = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def service(name: str, ground: images.Layer) -> images.Spec:
    own = images.Layer({"srv/shared.so": SHARED, f"srv/{name}": name.encode()}, "COPY . /srv/ # buildkit")
    return images.image(f"fleet/{name}:1", ground, own, User="web", history=("USER app", "USER web"))


SERVICES = [service("a", OLD), service("b", OLD)]
DOCKERFILE = "FROM debian:12\nUSER web\nCOPY . /srv/\n"


@pytest.fixture
def daemon(command: Memlint) -> Iterator[Daemon]:
    with (
        tempfile.TemporaryDirectory(prefix="memlint-") as place,
        serving(Path(place) / "docker.sock", *SERVICES) as found,
    ):
        command.own["DOCKER_HOST"] = found.host
        yield found


def written(command: Memlint, *options: str) -> tuple[dict[str, Any], str]:
    """The plan, and the FROM and USER lines of its bases."""
    (command.home / "Dockerfile").write_text(DOCKERFILE)
    given = [option for name in "ab" for option in ("--dockerfile", f"fleet/{name}:1=Dockerfile")]
    names = [f"docker-daemon:fleet/{name}:1" for name in "ab"]
    done = command.run("plan", *names, *given, "--write", "plan", "--prefer", "strict", *options)
    assert done.returncode == 0, done.stderr
    texts = [path.read_text() for path in sorted((command.home / "plan/bases").glob("*/Dockerfile"))]
    lines = [line for text in texts for line in text.splitlines() if line.startswith(("FROM", "USER"))]
    return json.loads((command.home / "plan/plan.json").read_text()), "\n".join(lines)


def test_a_base_that_the_daemon_has_by_a_digest_is_pinned(command: Memlint, daemon: Daemon) -> None:
    daemon.specs = [*SERVICES, images.image("debian:12", OLD, User="app")]
    daemon.digests = {"debian:12": (f"debian@{DIGEST}",)}
    plan, lines = written(command)
    assert lines == f"FROM debian:12@{DIGEST}\nUSER 0\nUSER app"
    assert plan["bases"][0]["source"] == f"debian:12@{DIGEST}"


def test_a_base_that_its_tag_no_longer_means_is_named_by_its_digest(command: Memlint, daemon: Daemon) -> None:
    daemon.specs = [*SERVICES, images.image("debian:12", NEW), images.image("<none>:<none>", OLD)]
    daemon.digests = {"<none>:<none>": (f"debian@{OLDER}",)}
    _, lines = written(command)
    assert lines == f"FROM debian:12@{OLDER}\nUSER 0\nUSER app"


def test_without_one_the_images_stay_as_they_are(command: Memlint, daemon: Daemon) -> None:
    daemon.specs = [*SERVICES, images.image("debian:12", NEW)]
    plan, lines = written(command)
    assert lines == ""
    assert {each["what"] for each in plan["left_out"] if "means another build by now" in each["why"]} == {
        "docker-daemon:fleet/a:1",
        "docker-daemon:fleet/b:1",
    }
    script = (command.home / "plan/build.sh").read_text()
    assert "\nservice fleet/" not in script
    assert set(json.loads((command.home / "plan/built.json").read_text())["images"].values()) == {None}


def test_a_base_that_the_daemon_does_not_have_is_taken_as_it_is_named(command: Memlint, daemon: Daemon) -> None:
    _, lines = written(command)
    assert lines == "FROM debian:12\nUSER 0\nUSER app"
