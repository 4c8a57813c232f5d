"""Services on planned bases have the packages that they had, whatever brings them and wherever they come from."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from . import plan_fleets
from .conftest import Memlint
from .daemons import Daemon
from .plan_fleets import INDEX_PORT, INDEXED, PACKAGES
from .test_plan import build, tagged
from .whole import changed, whole

pytestmark = pytest.mark.integration

LISTS = ("dpkg-query -W", "python3 -m pip list --format=freeze", "ls /opt/venv/lib/python3.11/site-packages")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The test's output is its own."""


@contextmanager
def index(directory: Path, library: Path) -> Iterator[None]:
    """An index of Python packages with `demo` in it, of a library and nothing else."""
    wheel = directory / "demo/demo-1.0-py3-none-manylinux2014_x86_64.whl"
    wheel.parent.mkdir(parents=True)
    info = "demo-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(library, "demo/lib.so")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-manylinux2014_x86_64\n"
        )
        names = ("demo/lib.so", f"{info}/METADATA", f"{info}/WHEEL", f"{info}/RECORD")
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    with ThreadingHTTPServer(("127.0.0.1", INDEX_PORT), partial(_Quiet, directory=str(directory))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def packages(docker: Daemon, image: str) -> list[str]:
    """What the managers of an image list."""
    command = "; ".join(f"{each} 2>/dev/null" for each in LISTS)
    run = ("run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", f"{command}; true")
    return docker.docker(*run).splitlines()


def test_every_service_keeps_its_packages(docker: Daemon, home: Path, rootfs: Path, memlint: Memlint) -> None:
    directory = home / "plans/packages-plan"
    crypto = next((rootfs / "usr/lib").glob("*/libstdc++.so.6.*"))
    with index(home / "index", crypto):
        plan_fleets.build(docker, INDEXED, home / "plans" / INDEXED.name)
        dockerfiles = plan_fleets.build(docker, PACKAGES, home / "plans" / PACKAGES.name)
        named = [f"--dockerfile={PACKAGES.name}/{name}={path}" for name, path in dockerfiles.items()]
        images = [f"docker-daemon:{image}" for image in PACKAGES.images]
        how = ("--prefer", "strict", "--min-saving", "100kB", "--write", str(directory))
        done = memlint.run("plan", *images, *named, *how)
        assert done.returncode == 0, done.stderr
        build(docker, directory, tag="planned")
    plan = json.loads((directory / "plan.json").read_text())
    for image in PACKAGES.images:
        assert packages(docker, f"{image}:planned") == packages(docker, image)
        assert changed(whole(docker, image), whole(docker, f"{image}:planned")) == []
    bases = "\n".join(path.read_text() for path in (directory / "bases").glob("*/Dockerfile"))
    assert "demo==1.0" in bases
    assert " curl=" in bases
    assert "acme" not in bases
    assert "/opt/venv" not in bases
    assert "publicsuffix" in (directory / "services/generous/Dockerfile").read_text()
    predicted = plan["before"]["page_cache_bytes"] - plan["after"]["page_cache_bytes"]
    now = memlint.compare(*tagged(PACKAGES, "planned"))
    saved = plan["before"]["page_cache_bytes"] - now["totals"]["mappable"]["page_cache_bytes"]
    assert saved == pytest.approx(predicted, rel=0.01)
    checked = memlint.run("plan", "--check", str(directory), *tagged(PACKAGES, "planned"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "every image has those that it had" in checked.stdout
    # the services as they were have none of it
    missed = memlint.run("plan", "--check", str(directory), *tagged(PACKAGES, "latest"))
    assert missed.returncode == 1
