"""A daemon is asked for as little as can be."""

from __future__ import annotations

import hashlib
import json
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import images
from support.daemon import Daemon, serving
from support.elf import library, program

from memlint import MemlintError, compare
from memlint.api import load
from memlint.layers.images import daemons_containers
from memlint.report.json import to_json

BASE = images.Layer({"lib/libc.so": library("libc.so", pages=9)}, "ADD rootfs.tar /")
WEB = images.image("web:latest", BASE, {"web": program("web", "libc.so")}, Cmd=["/web"])
API = images.image("team/api:2.0", BASE, {"lib/libc.so.6": library("libc.so", pages=9)})


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of a short name: a unix socket's has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="memlint-") as directory:
        yield Path(directory)


@pytest.fixture
def daemon(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """The daemon that DOCKER_HOST names."""
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(place / "config"))
    with serving(place / "docker.sock", WEB, API) as found:
        monkeypatch.setenv("DOCKER_HOST", found.host)
        yield found


def refused(*references: str, **options: Any) -> MemlintError:
    with pytest.raises(MemlintError) as caught:
        compare(references, **options)
    assert len(caught.value.message.splitlines()) == len(caught.value.hint.splitlines()) == 1
    return caught.value


@pytest.mark.parametrize("write", [images.docker_old, images.docker_skopeo, images.docker_25])
def test_the_same_report_as_of_a_layout(daemon: Daemon, tmp_path: Path, write: Callable[..., images.Files]) -> None:
    daemon.write = write
    layout = images.oci(WEB, API).write(tmp_path)
    expected = to_json(compare([f"oci:{layout}:{WEB.name}", f"oci:{layout}:{API.name}"]))
    found = to_json(compare(["web", "docker-daemon:team/api:2.0"]))
    assert found == expected.replace(f"oci:{layout}:{API.name}", "docker-daemon:team/api:2.0").replace(
        f"oci:{layout}:{WEB.name}", "web"
    )


def test_two_images_come_in_one_stream(daemon: Daemon) -> None:
    compare(["web", "team/api:2.0"])
    assert daemon.saves == ["/images/get?names=web&names=team%2Fapi%3A2.0"]


def test_an_image_given_twice_is_asked_for_once(daemon: Daemon) -> None:
    assert len(compare(["web", "web"]).images) == 2
    assert daemon.saves == ["/images/get?names=web"]


def test_nothing_is_read_when_all_is_cached(daemon: Daemon, tmp_path: Path) -> None:
    first = to_json(compare(["web", "team/api:2.0"], cache_dir=tmp_path))
    daemon.asked.clear()
    assert to_json(compare(["web", "team/api:2.0"], cache_dir=tmp_path)) == first
    assert daemon.saves == []
    assert len([path for path in daemon.asked if path.startswith("/images/")]) == 2


def test_only_what_is_not_cached_is_read(daemon: Daemon, tmp_path: Path) -> None:
    compare(["web"], cache_dir=tmp_path)
    daemon.asked.clear()
    compare(["web", "team/api:2.0"], cache_dir=tmp_path)
    assert daemon.saves == ["/images/get?names=team%2Fapi%3A2.0"]


def test_without_a_cache_all_is_read_again(daemon: Daemon) -> None:
    compare(["web"])
    compare(["web"])
    assert len(daemon.saves) == 2


@pytest.mark.parametrize(("name", "near"), [("wed", "web"), ("team/apo:2.0", "team/api:2.0")])
def test_an_absent_image_and_its_neighbour(daemon: Daemon, name: str, near: str) -> None:
    error = refused(f"docker-daemon:{name}")
    assert f"docker-daemon:{name}: the daemon has no such image" in error.message
    assert near in error.hint


def test_an_absent_image_that_is_like_no_other(daemon: Daemon) -> None:
    assert "docker pull qqqqqqqqqqq" in refused("qqqqqqqqqqq").hint


def test_one_absent_image_is_no_report_on_the_others(daemon: Daemon) -> None:
    assert "absent" in refused("web", "absent").message
    assert daemon.saves == []


def test_a_platform_that_the_image_is_not_for(daemon: Daemon) -> None:
    assert "is for linux/amd64, not for linux/s390x" in refused("web", platform="linux/s390x").message


def test_a_stream_that_is_no_archive(daemon: Daemon) -> None:
    daemon.cut = 700
    error = refused("web")
    assert "web" in error.message


def test_a_stream_that_ends_early(daemon: Daemon) -> None:
    whole = len(images.tar(images.docker_25(WEB)))
    daemon.cut = whole // 2
    assert "web" in refused("web").message


def test_a_connection_that_breaks(daemon: Daemon) -> None:
    """The daemon promises more than it sends."""
    daemon.promised = 1 << 20
    assert "web" in refused("web").message


def test_a_refusal_of_the_daemon_is_told(daemon: Daemon) -> None:
    daemon.failing = {"/images/web/json": (500, "the store is on fire")}
    error = refused("web")
    assert "the store is on fire" in error.message
    assert "no answer" not in error.message


def test_a_stream_that_the_daemon_refuses(daemon: Daemon) -> None:
    daemon.failing = {"/images/get": (500, "no space left on device")}
    error = refused("web")
    assert "no space left on device" in error.message
    assert "docker-archive:" in error.hint


@pytest.mark.parametrize("there", ["nothing", "file", "closed"])
def test_no_daemon(place: Path, monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    path = place / "absent.sock"
    if there == "file":
        path.write_text("")
    elif there == "closed":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    error = refused("web")
    assert f"unix://{path}" in error.message
    assert "docker-archive:FILE" in error.hint


@pytest.mark.parametrize("host", ["nonsense://x", "unix://", "tcp://", "://"])
def test_a_docker_host_that_is_none(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert host in refused("web").message


def test_no_daemon_is_needed_for_files(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{place}/absent.sock")
    assert len(compare([f"oci:{images.oci(WEB).write(tmp_path)}"]).images) == 1


def write_context(config: Path, name: str, host: str) -> None:
    meta = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}))


def test_the_current_context(daemon: Daemon, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    write_context(place / "config", "there", daemon.host)
    (place / "config" / "config.json").write_text(json.dumps({"currentContext": "there"}))
    assert compare(["web"]).images[0].name == "web"


def test_docker_context_comes_before_the_current_one(
    daemon: Daemon, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "there")
    write_context(place / "config", "there", daemon.host)
    write_context(place / "config", "elsewhere", f"unix://{place}/absent.sock")
    (place / "config" / "config.json").write_text(json.dumps({"currentContext": "elsewhere"}))
    assert compare(["web"]).images[0].name == "web"


def test_docker_host_comes_before_any_context(daemon: Daemon, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    write_context(place / "config", "elsewhere", f"unix://{place}/absent.sock")
    (place / "config" / "config.json").write_text("{}")
    assert compare(["web"]).images[0].name == "web"


@pytest.mark.parametrize(
    "meta", [None, "no JSON", "{}", '{"Name": "gone", "Metadata": {}, "Endpoints": {"docker": 5}}']
)
def test_a_context_that_is_not_there_is_not_another_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, meta: str | None
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(place))
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    (place / "config.json").write_text("{}")
    if meta is not None:
        write_context(place, "gone", "unix:///x")
        next(place.glob("contexts/meta/*/meta.json")).write_text(meta)
    error = refused("web")
    assert "gone" in error.message
    assert "docker context" in error.hint


@pytest.mark.parametrize(
    ("driver", "storage"),
    [
        ("overlay2", "overlay2"),
        ("overlayfs", "containerd-overlayfs"),
        ("overlay", "containers-storage-overlay"),
        ("vfs", "vfs"),
        ("btrfs", "btrfs"),
        ("fuse-overlayfs", "fuse-overlayfs"),
    ],
)
def test_the_storage_model_is_the_drivers(daemon: Daemon, driver: str, storage: str) -> None:
    daemon.driver = driver
    assert compare(["web"]).storage == storage


def test_a_driver_of_unknown_sharing_is_not_guessed_at(daemon: Daemon) -> None:
    daemon.driver = "unheard-of"
    with pytest.raises(MemlintError, match="unheard-of") as caught:
        compare(["web"])
    assert "--storage" in caught.value.hint
    assert compare(["web"], storage="overlay2").storage == "overlay2"


def test_a_chosen_storage_model_comes_before_the_drivers(daemon: Daemon) -> None:
    daemon.driver = "vfs"
    assert compare(["web"], storage="composefs").storage == "composefs"


def test_a_damaged_cached_config_is_asked_for_again(daemon: Daemon, tmp_path: Path) -> None:
    first = to_json(compare(["web"], cache_dir=tmp_path))
    for path in tmp_path.glob("v*/*/config-*"):
        path.write_bytes(path.read_bytes()[:-1])
    daemon.asked.clear()
    assert to_json(compare(["web"], cache_dir=tmp_path)) == first
    assert len(daemon.saves) == 1


def test_containers_and_the_ids_of_their_images(daemon: Daemon) -> None:
    """What the daemon calls the image is among its IDs, read from the stream or not."""
    (image,) = load(["web"], None).images
    assert image.ids == (images.digest(images.config_of(WEB)),)
    daemon.containers = {"a" * 64: image.ids[0], "b" * 64: ""}
    assert daemons_containers() == daemon.containers
