"""What the user calls an image: the references of containers-transports(5)."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import zstandard

from memlint.errors import SourceError, UsageError

DAEMON, DOCKER_ARCHIVE, OCI, OCI_ARCHIVE = "docker-daemon", "docker-archive", "oci", "oci-archive"
_STDIN = "/dev/stdin"
_FILES = (DOCKER_ARCHIVE, OCI, OCI_ARCHIVE)
_ZSTD = b"\x28\xb5\x2f\xfd"
_NO_ARCHIVE = "give a file written by docker save or skopeo copy"
_NOT_READ = ("containers-storage", "docker", "dir", "ostree", "sif", "tarball", "docker-tar")


class Reference(msgspec.Struct, frozen=True):
    """`text` as given; `location` is a path, or the image's name for a daemon; `image` picks one of several."""

    text: str
    transport: str
    location: str
    image: str | None = None

    def named(self, image: str) -> Reference:
        """The same place, with one of its images picked."""
        return Reference(f"{self.transport}:{self.location}:{image}", self.transport, self.location, image)


def parse_reference(text: str) -> Reference:
    """`TRANSPORT:PLACE[:IMAGE]`, an existing archive or layout by its bare path, or the name of a daemon's image.

    UsageError for a transport that is not read, SourceError for a path that is no image.
    """
    transport, colon, rest = text.partition(":")
    if colon and transport == DAEMON:
        return Reference(text, DAEMON, _present(rest, text))
    if colon and transport in _FILES:
        location, image = _split(_present(rest, text))
        return Reference(text, transport, location, image)
    if colon and transport in _NOT_READ:
        raise UsageError(
            f"{text}: images are not read by the transport {transport!r}",
            f"copy it first, for example: skopeo copy {text} oci:DIR:NAME, and compare oci:DIR:NAME",
        )
    location, image = _split(_present(transport and text, text))
    if location == _STDIN:
        return Reference(text, DOCKER_ARCHIVE, location, image)
    if os.path.exists(location):
        return Reference(text, _recognise(location), location, image)
    if text.startswith((".", "/")):
        raise SourceError(
            f"{text}: there is no such file or directory",
            "check the path; images of the local daemon go by their name",
        )
    return Reference(text, DAEMON, text)


def _present(rest: str, text: str) -> str:
    if not rest:
        raise UsageError(
            f"{text!r} names no image",
            "write docker-daemon:NAME, docker-archive:FILE, oci:DIR or oci-archive:FILE",
        )
    return rest


def _split(rest: str) -> tuple[str, str | None]:
    if os.path.exists(rest):
        return rest, None
    location, colon, image = rest.partition(":")
    if location == "-":
        return _STDIN, image or None
    return (location, image) if colon and image else (rest, None)


def _recognise(path: str) -> str:
    if os.path.isdir(path):
        if os.path.exists(os.path.join(path, "index.json")):
            return OCI
        raise SourceError(
            f"{path}: the directory holds no OCI image layout",
            "an image layout has an index.json; give docker-daemon:NAME for an image of the daemon",
        )
    if not os.path.isfile(path):
        return DOCKER_ARCHIVE
    try:
        with _opened(path) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if name in ("oci-layout", "index.json", "blobs") or name.startswith("blobs/"):
                    return _layout_or_archive(archive)
                if name.endswith(("manifest.json", "/layer.tar", "repositories", ".json", "/VERSION")):
                    return DOCKER_ARCHIVE
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})", _NO_ARCHIVE) from error
    except (tarfile.TarError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise SourceError(f"{path}: is no image archive, or a damaged one", _NO_ARCHIVE) from error
    return DOCKER_ARCHIVE


@contextmanager
def _opened(path: str) -> Iterator[tarfile.TarFile]:
    """The archive, to be read once from its start. tarfile knows compressions, but before Python 3.14 not zstd."""
    with open(path, "rb") as file:
        is_zstd = file.read(len(_ZSTD)) == _ZSTD
        file.seek(0)
        if is_zstd:
            with (
                zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain,
                tarfile.open(fileobj=plain, mode="r|") as archive,
            ):
                yield archive
        else:
            with tarfile.open(fileobj=file, mode="r:*") as archive:
                yield archive


def _layout_or_archive(archive: tarfile.TarFile) -> str:
    """Docker 25 and later write both an OCI layout and a manifest.json; the latter knows the tags best."""
    names = {name.removeprefix("./") for name in archive.getnames()}
    return DOCKER_ARCHIVE if "manifest.json" in names else OCI_ARCHIVE
