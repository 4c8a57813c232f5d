"""What the user calls an image, and where it is looked for then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import images

from memlint.errors import MemlintError, SourceError, UsageError
from memlint.sources.reference import Reference, parse_reference

SPEC = images.image("web:1", {"a": b"a"})
LAYOUT = images.oci(SPEC)


def parts(reference: Reference) -> tuple[str, str, str | None]:
    return reference.transport, reference.location, reference.image


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", ("docker-daemon", "web", None)),
        ("web:1.4", ("docker-daemon", "web:1.4", None)),
        ("team/web:1.4", ("docker-daemon", "team/web:1.4", None)),
        ("host:5000/x:1", ("docker-daemon", "host:5000/x:1", None)),
        ("localhost/x", ("docker-daemon", "localhost/x", None)),
        ("web@sha256:" + "0" * 64, ("docker-daemon", "web@sha256:" + "0" * 64, None)),
        ("sha256:" + "0" * 64, ("docker-daemon", "sha256:" + "0" * 64, None)),
        ("docker-daemon:web:1.4", ("docker-daemon", "web:1.4", None)),
        ("docker-daemon:host:5000/x:1", ("docker-daemon", "host:5000/x:1", None)),
        ("docker-archive:web.tar", ("docker-archive", "web.tar", None)),
        ("docker-archive:web.tar:web:1.4", ("docker-archive", "web.tar", "web:1.4")),
        ("docker-archive:web.tar:@1", ("docker-archive", "web.tar", "@1")),
        ("oci:build", ("oci", "build", None)),
        ("oci:./build/api:2.0", ("oci", "./build/api", "2.0")),
        ("oci:build:host:5000/x:1", ("oci", "build", "host:5000/x:1")),
        ("oci-archive:a.tar:web", ("oci-archive", "a.tar", "web")),
    ],
)
def test_parts(text: str, expected: tuple[str, str, str | None]) -> None:
    reference = parse_reference(text)
    assert (reference.text, parts(reference)) == (text, expected)


@pytest.mark.parametrize("transport", ["docker", "dir", "containers-storage", "ostree", "sif", "tarball"])
def test_a_transport_that_is_not_read_gets_the_copy_command(transport: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(f"{transport}://registry/web:1")
    assert transport in caught.value.message
    assert f"skopeo copy {transport}://registry/web:1 oci:" in caught.value.hint


@pytest.mark.parametrize("text", ["", "docker-daemon:", "docker-archive:", "oci:", "oci-archive:", ":web", ":"])
def test_nothing_is_no_name(text: str) -> None:
    with pytest.raises(MemlintError) as caught:
        parse_reference(text)
    assert "names no image" in caught.value.message


@pytest.mark.parametrize("text", ["./absent", "/absent/web.tar", "../absent", "./absent:web"])
def test_a_path_that_is_not_there(text: str) -> None:
    with pytest.raises(SourceError, match="no such file"):
        parse_reference(text)


def tarred(tmp_path: Path, files: images.Files, codec: str = "") -> str:
    return str(images.write_tar(files, tmp_path / "file", codec))


@pytest.mark.parametrize("codec", ["", "gzip", "zstd"])
@pytest.mark.parametrize(
    ("files", "transport"),
    [
        (images.docker_old(SPEC), "docker-archive"),
        (images.docker_skopeo(SPEC), "docker-archive"),
        (images.docker_25(SPEC), "docker-archive"),
        (LAYOUT.files, "oci-archive"),
        ({f"./{name}": content for name, content in LAYOUT.files.items()}, "oci-archive"),
        (dict(reversed(LAYOUT.files.items())), "oci-archive"),
    ],
    ids=["old", "skopeo", "docker-25", "oci", "dotted", "blobs-first"],
)
def test_a_bare_archive_is_known_by_its_content(
    tmp_path: Path, files: images.Files, transport: str, codec: str
) -> None:
    path = tarred(tmp_path, files, codec)
    assert parts(parse_reference(path)) == (transport, path, None)
    assert parts(parse_reference(f"{path}:web:1")) == (transport, path, "web:1")


def test_a_bare_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LAYOUT.write(tmp_path / "build")
    monkeypatch.chdir(tmp_path)
    assert parts(parse_reference("build")) == ("oci", "build", None)
    assert parts(parse_reference("./build:web:1")) == ("oci", "./build", "web:1")


def test_a_name_with_a_colon_that_is_a_path(tmp_path: Path) -> None:
    path = images.write_tar(LAYOUT.files, tmp_path / "web:1.tar")
    assert parts(parse_reference(str(path))) == ("oci-archive", str(path), None)
    assert parts(parse_reference(f"oci-archive:{path}")) == ("oci-archive", str(path), None)


def test_a_directory_without_a_layout(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no OCI image layout"):
        parse_reference(str(tmp_path))


@pytest.mark.parametrize("data", [b"", b"# a text\n" * 200, b"\x1f\x8b broken", b"\x28\xb5\x2f\xfd broken"])
def test_a_file_that_is_no_archive(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(data)
    with pytest.raises(SourceError, match="no image archive"):
        parse_reference(str(path))


def test_a_pipe_is_not_read_to_be_recognised(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert parse_reference(str(pipe)).location == str(pipe)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_any_text_is_a_reference_or_a_clear_refusal(text: str) -> None:
    try:
        reference = parse_reference(text)
    except MemlintError as error:
        said = (error.message, error.hint)
    else:
        said = (reference.text, reference.location)
        assert reference.text == text
    assert all(said)
