"""What a build upon an image inherits of its config, as each source gives it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import images
from support.daemon import serving

from memlint.api import load
from memlint.model.digest import parse_digest
from memlint.model.image import BaseDigest, Image
from memlint.sources.docker_daemon import Daemon
from memlint.sources.inherited import ContainerConfig, settings_of, users_of

LAYER = images.Layer({"etc/x": b"x"}, "ADD rootfs")
CONFIG: dict[str, Any] = {
    "Entrypoint": ["/entry"],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "A=b=c"],
    "User": "app",
    "WorkingDir": "/srv",
    "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"team": "pay"},
    "Shell": ["/bin/bash", "-c"],
    "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD", "true"], "Retries": 3},
    "OnBuild": ["RUN make"],
}
SETTINGS = {
    "Entrypoint": '["/entry"]',
    "Env LANG": "C.UTF-8",
    "Env A": "b=c",
    "User": "app",
    "WorkingDir": "/srv",
    "Port 80/tcp": "",
    "Volume /data": "",
    "Label team": "pay",
    "Shell": '["/bin/bash","-c"]',
    "StopSignal": '"SIGINT"',
    "Healthcheck": '{"Retries":3,"Test":["CMD","true"]}',
    "OnBuild": '["RUN make"]',
}


def test_settings_are_told_by_name() -> None:
    assert dict(settings_of(msgspec.convert(CONFIG, ContainerConfig))) == SETTINGS


@pytest.mark.parametrize(
    "config", [{}, {"User": "0"}, {"User": "root:root", "WorkingDir": "/", "Env": [], "Cmd": None}]
)
def test_what_is_so_by_itself_is_none(config: dict[str, object]) -> None:
    assert settings_of(msgspec.convert(config, ContainerConfig)) == ()


def test_the_users_that_a_history_sets() -> None:
    history = (
        "/bin/sh -c #(nop)  USER app",
        "RUN /bin/sh -c USER x # buildkit",
        "USER root",
        "USER [www-data]",
        "ENV USER app",
    )
    assert users_of(history) == ("app", "", "www-data")


def read(directory: Path, **annotations: str) -> Image:
    layout = images.Layout()
    spec = images.image("x:1", LAYER, history=("USER app",), **CONFIG)
    layout.name(layout.manifest(spec, annotations=annotations), "x:1")
    (found,) = load([f"oci:{layout.write(directory)}"], None).images
    return found


def test_an_image_of_a_layout_has_all_of_them(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (dict(found.settings), found.users, found.base) == (SETTINGS, ("app",), None)


def test_the_base_that_a_manifest_notes(tmp_path: Path) -> None:
    digest = "sha256:" + "a" * 64
    key = "org.opencontainers.image.base"
    assert read(tmp_path / "a", **{f"{key}.digest": digest, f"{key}.name": "debian:12"}).base == BaseDigest(
        parse_digest(digest), "debian:12"
    )
    assert read(tmp_path / "b", **{f"{key}.digest": "latest"}).base is None


def test_a_daemon_tells_of_a_base_without_reading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = images.image("company/base:1", LAYER, **CONFIG)
    other = images.image("other:1", LAYER)
    with tempfile.TemporaryDirectory(prefix="memlint-") as place:
        monkeypatch.setenv("DOCKER_CONFIG", place)
        with serving(Path(place) / "docker.sock", spec, other) as daemon:
            monkeypatch.setenv("DOCKER_HOST", daemon.host)
            daemon.digests = {"company/base:1": ("company/base@sha256:" + "b" * 64,)}
            asked = Daemon()
            found = asked.base("company/base:1")
            assert found is not None
            assert dict(found.image.settings) == SETTINGS
            assert [layer.diff_id for layer in found.image.layers] == [images.digest(images.tar(LAYER.tree))]
            assert found.image.platform == "linux/amd64"
            assert found.digests == daemon.digests["company/base:1"]
            assert asked.base("absent") is None
            assert [each.image.layers for each in asked.digested(lambda name: name.startswith("company/base@"))] == [
                found.image.layers
            ]
            assert not daemon.saves
            # containerd's store has a digest of every image, whether or not a registry knows it
            daemon.status = [["driver-type", "io.containerd.snapshotter.v1"]]
            base = Daemon().base("company/base:1")
            assert base is not None
            assert base.digests == ()
