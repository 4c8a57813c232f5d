"""One fleet in every form that memlint reads gives one report."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import images
from support.command import MEMLINT, Memlint
from support.elf import library, program

from memlint import compare
from memlint.api import load
from memlint.model.report import Report
from memlint.report.json import to_json
from memlint.sources.oci import images as images_of
from memlint.sources.reference import parse_reference
from memlint.sources.store import DirectoryStore

BASE = images.Layer(
    {
        "lib64/ld-linux-x86-64.so.2": library("ld-linux-x86-64.so.2", pages=3),
        "usr/lib/libc.so.6": library("libc.so.6", pages=40),
        "usr/lib/libc.so": images.Link("libc.so.6"),
        "usr/lib/libc-again.so.6": images.Hard("usr/lib/libc.so.6"),
    },
    "ADD rootfs.tar /",
)
WEB = images.image("web:1.0", BASE, {"srv/web": program("web", "libc.so.6")}, Cmd=["/srv/web"])
API = images.image(
    "api:2.0",
    BASE,
    {"usr/lib/libc.so.6": images.Gone()},
    images.Layer({"srv/api": program("api", "libc.so.6"), "srv/libc.so.6": library("libc.so.6", pages=40)}, "COPY"),
    Cmd=["/srv/api"],
)
EMPTY = images.image("empty:1.0", {})
SPECS = (WEB, API, EMPTY)


def plain(report: Report) -> str:
    """The report without what tells its form."""
    text = to_json(report)
    for image in sorted(report.images, key=lambda image: -len(image.ref)):
        text = text.replace(image.ref, image.name)
    return text


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on the plain directory."""
    report = compare([f"oci:{images.oci(*SPECS).write(tmp_path_factory.mktemp('layout'))}"])
    assert [image.name for image in report.images] == ["web:1.0", "api:2.0", "empty:1.0"]
    assert report.totals.mappable.duplicate_bytes == 40 * 4096
    return plain(report)


@pytest.mark.parametrize("codec", ["", "gzip", "zstd"])
def test_layers_of_a_directory(tmp_path: Path, codec: str, expected: str) -> None:
    assert plain(compare([f"oci:{images.oci(*SPECS, codec=codec).write(tmp_path)}"])) == expected


@pytest.mark.parametrize("outer", ["", "gzip", "zstd"])
@pytest.mark.parametrize("codec", ["", "gzip", "zstd"])
def test_oci_archive(tmp_path: Path, codec: str, outer: str, expected: str) -> None:
    path = images.write_tar(images.oci(*SPECS, codec=codec).files, tmp_path / "layout.tar", outer)
    assert plain(compare([f"oci-archive:{path}"])) == expected


@pytest.mark.parametrize("outer", ["", "gzip", "zstd"])
@pytest.mark.parametrize("write", [images.docker_old, images.docker_skopeo, images.docker_25])
def test_docker_archive(tmp_path: Path, write: Callable[..., images.Files], outer: str, expected: str) -> None:
    path = images.write_tar(write(*SPECS), tmp_path / "saved.tar", outer)
    assert plain(compare([f"docker-archive:{path}"])) == expected
    assert plain(compare([str(path)])) == expected


def test_an_image_has_the_id_of_its_config_in_every_form(tmp_path: Path) -> None:
    """By which engines know it; a layout tells its manifest's digest, too."""
    (tmp_path / "oci").mkdir()
    forms = [f"oci:{images.oci(WEB).write(tmp_path / 'oci')}"]
    for write in (images.docker_old, images.docker_skopeo, images.docker_25):
        path = images.write_tar(write(WEB), tmp_path / f"{write.__name__}.tar")
        forms.append(f"docker-archive:{path}")
    (of_layout, *_), *of_archives = (load([form], None).images[0].ids for form in forms)
    assert of_archives == [(of_layout,)] * 3
    blobs = [tmp_path / "oci/blobs" / each.replace(":", "/") for each in load(forms[:1], None).images[0].ids]
    config, manifest = (json.loads(blob.read_bytes()) for blob in blobs)
    assert "rootfs" in config
    assert manifest["config"]["digest"] == of_layout


def test_dotted_and_reversed_archive(tmp_path: Path, expected: str) -> None:
    files = {f"./{name}": content for name, content in reversed(images.oci(*SPECS).files.items())}
    path = images.write_tar({".": images.Dir(), **files}, tmp_path / "layout.tar")
    assert plain(compare([f"oci-archive:{path}"])) == expected


@pytest.mark.parametrize("outer", ["", "gzip", "zstd"])
@pytest.mark.parametrize(
    ("transport", "files"),
    [
        ("docker-archive", images.docker_skopeo(*SPECS)),
        ("docker-archive", images.docker_25(*SPECS)),
        ("oci-archive", images.oci(*SPECS, codec="gzip").files),
    ],
    ids=["skopeo", "docker-25", "oci"],
)
def test_archive_through_a_pipe(tmp_path: Path, transport: str, files: images.Files, outer: str, expected: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = images.COMPRESS[outer](images.tar(files))
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    report = compare([f"{transport}:{pipe}"])
    writer.join()
    assert plain(report) == expected


@pytest.mark.parametrize("reference", ["docker-archive:/dev/stdin", "docker-archive:-", "-"])
@pytest.mark.parametrize("files", [images.docker_skopeo(*SPECS), images.oci(*SPECS).files], ids=["docker", "oci"])
def test_standard_input(command: Memlint, files: images.Files, reference: str) -> None:
    """Of a pipe it shows only at its end which kind of archive it was."""
    saved = images.write_tar(files, command.home / "saved.tar")
    from_file = json.loads(command.run("compare", "saved.tar", "-f", "json").stdout)
    with subprocess.Popen(["cat", saved], stdout=subprocess.PIPE) as cat:
        done = subprocess.run(
            [*MEMLINT, "compare", reference, "-f", "json"],
            cwd=command.home,
            env=command.env(),
            stdin=cat.stdout,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
    piped = json.loads(done.stdout)
    assert piped["totals"] == from_file["totals"]
    assert [image["name"] for image in piped["images"]] == [image["name"] for image in from_file["images"]]


def test_an_old_archive_through_a_pipe_has_its_linked_layers(tmp_path: Path, expected: str) -> None:
    """A layer that several images share is there once; the others point at it by symlinks."""
    path = images.write_tar(images.docker_old(*SPECS), tmp_path / "saved.tar.gz", "gzip")
    assert plain(compare([f"docker-archive:{path}"])) == expected


@pytest.mark.parametrize("outer", ["", "gzip"])
def test_layers_may_be_hard_links(tmp_path: Path, outer: str, expected: str) -> None:
    files = {
        name: images.Hard(content.target.removeprefix("../")) if isinstance(content, images.Link) else content
        for name, content in images.docker_old(*SPECS).items()
    }
    assert any(isinstance(content, images.Hard) for content in files.values())
    assert plain(compare([f"docker-archive:{images.write_tar(files, tmp_path / 'x', outer)}"])) == expected


@pytest.mark.parametrize("transport", ["oci", "docker-archive"])
def test_one_image_is_picked_by_name(tmp_path: Path, transport: str) -> None:
    place = (
        images.oci(*SPECS).write(tmp_path)
        if transport == "oci"
        else images.write_tar(images.docker_old(*SPECS), tmp_path / "saved.tar")
    )
    (found,) = compare([f"{transport}:{place}:api:2.0"]).images
    assert (found.ref, found.name) == (f"{transport}:{place}:api:2.0", "api:2.0")


def test_images_without_tags_go_by_number(tmp_path: Path) -> None:
    files = images.docker_skopeo(WEB, API)
    manifest = files["manifest.json"]
    assert isinstance(manifest, bytes)
    for spec in (WEB, API):
        manifest = manifest.replace(f'["{spec.name}"]'.encode(), b"null")
    path = images.write_tar({**files, "manifest.json": manifest}, tmp_path / "saved.tar")
    both = compare([f"docker-archive:{path}"]).images
    assert [image.ref for image in both] == [f"docker-archive:{path}:@{number}" for number in (0, 1)]
    (second,) = compare([f"docker-archive:{path}:@1"]).images
    assert second.layers == both[1].layers


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("registry.example:5000/team/web:1.4", "web:1.4"),
        ("web:latest", "web"),
        ("web@sha256:" + "ab" * 32, "web@abababababab"),
        ("sha256:" + "ab" * 32, "abababababab"),
        ("web", "web"),
    ],
)
def test_short_names(tmp_path: Path, name: str, shown: str) -> None:
    layout = images.oci(images.image(name, {"a": b"a"})).write(tmp_path)
    (found,) = compare([f"oci:{layout}"]).images
    assert found.name == shown


def test_a_layout_without_names_is_called_by_its_directory(tmp_path: Path) -> None:
    layout = images.Layout()
    layout.name(layout.manifest(WEB), None)
    (found,) = compare([f"oci:{layout.write(tmp_path / 'build' / 'api')}/"]).images
    assert found.name == "api"


def test_an_image_with_two_names_is_one_image(tmp_path: Path) -> None:
    layout = images.Layout()
    manifest = layout.manifest(WEB)
    layout.name(manifest, "web:1.0")
    layout.name(manifest, "web:latest")
    assert len(compare([f"oci:{layout.write(tmp_path)}"]).images) == 1


def test_attestations_are_passed_over(tmp_path: Path) -> None:
    layout = images.Layout()
    manifest = layout.manifest(WEB)
    layout.name(layout.index(images.for_platform(manifest, WEB.platform), images.attestation(layout, manifest)), "web")
    layout.name(images.attestation(layout, manifest), None)
    (found,) = compare([f"oci:{layout.write(tmp_path)}"]).images
    assert found.platform == "linux/amd64"


def test_sha512_digests(tmp_path: Path) -> None:
    import hashlib

    layout = images.Layout()
    entry = layout.manifest(WEB)
    data = layout.files.pop("blobs/" + entry["digest"].replace(":", "/"))
    assert isinstance(data, bytes)
    name = hashlib.sha512(data).hexdigest()
    layout.files[f"blobs/sha512/{name}"] = data
    layout.name({**entry, "digest": f"sha512:{name}"}, "web")
    assert len(compare([f"oci:{layout.write(tmp_path)}"]).images) == 1


@pytest.mark.parametrize(("tag", "shown"), [("2.0", "api:2.0"), ("v1", "api:v1"), ("latest", "api")])
def test_a_mere_tag_is_shown_behind_the_layouts_name(tmp_path: Path, tag: str, shown: str) -> None:
    layout = images.oci(images.image(tag, {"a": b"a"})).write(tmp_path / "api")
    (found,) = compare([f"oci:{layout}"]).images
    assert found.name == shown


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2024-05-01T10:00:00.123456789Z", 1714557600),
        ("2024-05-01T12:00:00+02:00", 1714557600),
        ("1970-01-01T00:00:00Z", None),
        ("1980-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("2024-05-01", None),
        ("", None),
        ({"not": "a time"}, None),
    ],
)
def test_when_a_layer_was_made(tmp_path: Path, created: Any, expected: int | None) -> None:
    made = images.Layer({"a": b"a"}, "COPY", created=created)
    images.oci(images.image("x:1", made, OnBuild=["RUN make"])).write(tmp_path)
    (image,) = images_of(DirectoryStore(str(tmp_path)), parse_reference(f"oci:{tmp_path}"), None)
    assert [layer.created for layer in image.layers] == [expected]
    assert image.on_build == ("RUN make",)
