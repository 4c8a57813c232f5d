"""Images that are damaged, of an unknown kind, or not there: one line says what, one what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import images
from support.elf import library

from memlint import MemlintError, compare

SPEC = images.image("web:1", {"lib/liba.so": library("liba.so", pages=30)}, {"lib/libb.so": library("libb.so")})
DOCUMENT_MAX = 8 << 20


def refused(*references: str, **options: Any) -> MemlintError:
    with pytest.raises(MemlintError) as caught:
        compare(references, **options)
    error = caught.value
    assert len(error.message.splitlines()) == len(error.hint.splitlines()) == 1
    return error


def blob(layout: images.Layout, descriptor: images.Json) -> str:
    name = "blobs/" + str(descriptor["digest"]).replace(":", "/")
    assert name in layout.files
    return name


class Parts:
    """A good layout, and the names of its parts."""

    def __init__(self) -> None:
        self.layout = images.oci(SPEC)
        self.manifest = blob(self.layout, self.layout.entries[0])
        said = json.loads(self.bytes(self.manifest))
        self.config = blob(self.layout, said["config"])
        self.layer = blob(self.layout, said["layers"][0])
        self.said = said

    def bytes(self, name: str) -> bytes:
        content = self.layout.files[name]
        assert isinstance(content, bytes)
        return content


def flipped(name: str) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        path = getattr(parts, name)
        data = bytearray(parts.bytes(path))
        data[-1030] ^= 1
        parts.layout.files[path] = bytes(data)

    return change


def spoilt(name: str) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        path = getattr(parts, name)
        parts.layout.files[path] = parts.bytes(path).replace(b"linux", b"Linux").replace(b"schema", b"Schema")

    return change


def removed(name: str) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        del parts.layout.files[getattr(parts, name, name)]

    return change


def said(**changes: Any) -> Callable[[Parts], None]:
    """A manifest that says something else, and whose digest is right."""

    def change(parts: Parts) -> None:
        parts.layout.entries.clear()
        parts.layout.name(parts.layout.blob(images.MANIFEST, images.encode({**parts.said, **changes})), SPEC.name)

    return change


def layer_said(**changes: Any) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        first, *rest = parts.said["layers"]
        said(layers=[{**first, **changes}, *rest])(parts)

    return change


def entry(**changes: Any) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        (only,) = parts.layout.entries
        parts.layout.entries.clear()
        parts.layout.name({**only, **changes}, SPEC.name)

    return change


def index(data: bytes) -> Callable[[Parts], None]:
    return lambda parts: parts.layout.files.update({"index.json": data})


ZEROS = "sha256:" + "0" * 64
BAD: dict[str, tuple[Callable[[Parts], None], str]] = {
    "manifest digest": (spoilt("manifest"), "digest is sha256:"),
    "config digest": (spoilt("config"), "digest is sha256:"),
    "layer digest": (flipped("layer"), "layer 1 of 2"),
    "no index.json": (removed("index.json"), "index.json"),
    "no manifest": (removed("manifest"), "blobs/sha256/"),
    "no config": (removed("config"), "blobs/sha256/"),
    "no layer": (removed("layer"), "is missing from"),
    "index is no JSON": (index(b"<html>"), "index.json is not what it should be"),
    "index is a list": (index(b"[]"), "index.json is not what it should be"),
    "index is nested without end": (index(b"[" * 100_000), "index.json is not what it should be"),
    "index is no UTF-8": (index(b'{"manifests": [{"digest": "\xff", "size": 1}]}'), "index.json is not"),
    "index is empty": (index(b'{"manifests": []}'), "holds no image"),
    "index is of another shape": (index(b'{"manifests": [{"digest": 5}]}'), "index.json is not what it should be"),
    "manifest digest is none": (entry(digest="sha256:../../../etc/passwd"), "not a sha256 or sha512 digest"),
    "manifest digest is md5": (entry(digest="md5:" + "0" * 32), "not a sha256 or sha512 digest"),
    "manifest is a Docker schema 1": (
        entry(mediaType="application/vnd.docker.distribution.manifest.v1+prettyjws"),
        "media type",
    ),
    "layer is foreign": (
        layer_said(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        "is foreign",
    ),
    "layer is nondistributable": (
        layer_said(mediaType=f"{images.OCI}layer.nondistributable.v1.tar+gzip"),
        "is foreign",
    ),
    "layer is encrypted": (layer_said(mediaType=f"{images.LAYER}+gzip+encrypted"), "media type"),
    "layer is a wasm module": (layer_said(mediaType="application/wasm"), "media type 'application/wasm'"),
    "layer has another size": (layer_said(size=5), "its descriptor says 5"),
    "layer has another digest": (layer_said(digest=ZEROS), "is missing from"),
    "one layer less": (said(layers=[]), "its manifest lists 0 layers, its config 2"),
    "config is a layer": (said(config={"mediaType": images.CONFIG, "digest": ZEROS, "size": 5}), "blobs/sha256/0000"),
    "too many layers": (
        said(layers=[{"mediaType": images.LAYER, "digest": ZEROS, "size": 5}] * 3000),
        "more than 2000 layers",
    ),
}


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_bad_layout(tmp_path: Path, change: Callable[[Parts], None], message: str, archived: bool) -> None:
    parts = Parts()
    change(parts)
    if archived:
        reference = f"oci-archive:{images.write_tar(parts.layout.files, tmp_path / 'a.tar')}"
    else:
        reference = f"oci:{parts.layout.write(tmp_path)}"
    error = refused(reference)
    assert message in error.message
    assert str(tmp_path) in error.message


def saved(**changes: Any) -> images.Files:
    """A docker-archive whose manifest.json says something else."""
    files = images.docker_skopeo(SPEC)
    manifest = files["manifest.json"]
    assert isinstance(manifest, bytes)
    (said,) = json.loads(manifest)
    return {**files, "manifest.json": images.encode([{**said, **changes}])}


def without(files: images.Files, suffix: str) -> images.Files:
    first = next(name for name in files if name.endswith(suffix))
    return {name: content for name, content in files.items() if name != first}


ARCHIVES: dict[str, tuple[images.Files, str]] = {
    "no manifest.json": (without(images.docker_old(SPEC), "manifest.json"), "has no manifest.json"),
    "manifest.json is no JSON": ({**images.docker_old(SPEC), "manifest.json": b"hm"}, "manifest.json is not what"),
    "manifest.json is an object": ({**images.docker_old(SPEC), "manifest.json": b"{}"}, "manifest.json is not what"),
    "manifest.json is empty": ({**images.docker_old(SPEC), "manifest.json": b"[]"}, "holds no image"),
    "config is missing": (saved(Config="absent.json"), "has no absent.json"),
    "config is elsewhere": (saved(Config="../../../../etc/passwd"), "has no ../"),
    "config of another digest": (
        {**saved(Config="0" * 64 + ".json"), "0" * 64 + ".json": b"{}"},
        "its config: its digest is",
    ),
    "layer is missing": (without(saved(Layers=["absent.tar", "absent.tar"]), ".tar"), "'absent.tar' is missing from"),
    "layer is a loop of links": (
        {
            **without(saved(Layers=["a.tar", "a.tar"]), ".tar"),
            "a.tar": images.Link("b.tar"),
            "b.tar": images.Link("a.tar"),
        },
        "'a.tar' is missing from",
    ),
    "one layer less": (saved(Layers=[]), "its manifest lists 0 layers, its config 2"),
    "layer of another diff ID": (
        {**without(saved(Layers=["x.tar", "x.tar"]), ".tar"), "x.tar": images.tar({"x": b"x"})},
        "the image's config says sha256:",
    ),
}


@pytest.mark.parametrize("codec", ["", "gzip"])
@pytest.mark.parametrize(("files", "message"), ARCHIVES.values(), ids=ARCHIVES)
def test_bad_docker_archive(tmp_path: Path, files: images.Files, message: str, codec: str) -> None:
    error = refused(f"docker-archive:{images.write_tar(files, tmp_path / 'saved.tar', codec)}")
    assert str(tmp_path) in error.message
    assert message in error.message or (codec and "was not in the stream" in error.message)


@pytest.mark.parametrize("where", ["index.json", "manifest"])
def test_a_manifest_of_100_megabytes(tmp_path: Path, where: str) -> None:
    parts = Parts()
    layout = parts.layout.write(tmp_path)
    os.truncate(layout / getattr(parts, where, where), 100 << 20)
    assert "104857600 bytes, too many" in refused(f"oci:{layout}").message


@pytest.mark.parametrize("codec", ["", "gzip"])
def test_a_manifest_of_many_megabytes_in_an_archive(tmp_path: Path, codec: str) -> None:
    files = {**images.docker_old(SPEC), "manifest.json": b" " * (DOCUMENT_MAX + 1)}
    path = images.write_tar(files, tmp_path / "saved.tar", codec)
    assert "bytes, too many" in refused(f"docker-archive:{path}").message


@pytest.mark.parametrize("codec", ["", "gzip", "zstd"])
@pytest.mark.parametrize("write", [images.docker_old, images.docker_25, lambda spec: images.oci(spec).files])
def test_a_truncated_archive(tmp_path: Path, write: Callable[..., images.Files], codec: str) -> None:
    whole = images.COMPRESS[codec](images.tar(write(SPEC)))
    for tenths in range(10):
        path = tmp_path / f"{tenths}.tar"
        path.write_bytes(whole[: len(whole) * tenths // 10])
        for reference in (f"docker-archive:{path}", f"oci-archive:{path}", str(path)):
            assert str(path) in refused(reference).message


@pytest.mark.parametrize("write", [images.docker_old, images.docker_25])
def test_an_image_that_the_archive_does_not_have(tmp_path: Path, write: Callable[..., images.Files]) -> None:
    path = images.write_tar(write(SPEC), tmp_path / "saved.tar")
    error = refused(f"docker-archive:{path}:api:2")
    assert "has no such image" in error.message
    assert "web:1" in error.hint


def test_an_image_that_the_layout_does_not_have(tmp_path: Path) -> None:
    error = refused(f"oci:{images.oci(SPEC).write(tmp_path)}:api:2")
    assert "has no such image" in error.message
    assert "web:1" in error.hint


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive", "oci"])
def test_a_file_that_is_not_there(tmp_path: Path, transport: str) -> None:
    assert "absent" in refused(f"{transport}:{tmp_path}/absent").message


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
def test_a_directory_in_place_of_an_archive(tmp_path: Path, transport: str) -> None:
    assert str(tmp_path) in refused(f"{transport}:{tmp_path}").message


def test_a_file_in_place_of_a_layout(tmp_path: Path) -> None:
    path = images.write_tar(images.oci(SPEC).files, tmp_path / "a.tar")
    assert "is no directory" in refused(f"oci:{path}").message


def test_indexes_that_nest_without_end(tmp_path: Path) -> None:
    layout = images.Layout()
    top = layout.manifest(SPEC)
    for _ in range(20):
        top = layout.index(top)
    layout.name(top, "web")
    assert "nest more than" in refused(f"oci:{layout.write(tmp_path)}").message


def test_an_index_of_nothing_but_attestations(tmp_path: Path) -> None:
    layout = images.Layout()
    layout.name(layout.index(images.attestation(layout, layout.manifest(SPEC))), "web")
    assert "lists no image" in refused(f"oci:{layout.write(tmp_path)}").message


def test_one_bad_image_is_no_report_on_the_others(tmp_path: Path) -> None:
    parts = Parts()
    flipped("layer")(parts)
    bad = parts.layout.write(tmp_path / "bad")
    good = images.oci(images.image("api:1", {"api": library("api")})).write(tmp_path / "good")
    assert f"oci:{bad}: layer 1 of 2" in refused(f"oci:{good}:api:1", f"oci:{bad}").message


def test_what_was_not_verified_is_not_cached(tmp_path: Path) -> None:
    parts = Parts()
    flipped("layer")(parts)
    bad = f"oci:{parts.layout.write(tmp_path / 'bad')}"
    cache = tmp_path / "cache"
    assert len(compare([bad], cache_dir=cache, verify=False).images) == 1
    assert "digest" in refused(bad, cache_dir=cache).message
