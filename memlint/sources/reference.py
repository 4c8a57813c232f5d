"""What the user calls an image: the references of containers-transports(5)."""

from __future__ import annotations

import os
import tarfile

import msgspec

from memlint.errors import SourceError, UsageError

DAEMON, DOCKER_ARCHIVE, OCI, OCI_ARCHIVE = "docker-daemon", "docker-archive", "oci", "oci-archive"
_FILES = (DOCKER_ARCHIVE, OCI, OCI_ARCHIVE)
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
    location, image = _split(_present(text, text))
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
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if name in ("oci-layout", "index.json", "blobs") or name.startswith("blobs/"):
                    return _layout_or_archive(archive)
                if name.endswith(("manifest.json", "/layer.tar", "repositories", ".json", "/VERSION")):
                    return DOCKER_ARCHIVE
    except (tarfile.TarError, EOFError, OSError) as error:
        raise SourceError(
            f"{path}: is no image archive ({error})", "give a file written by docker save or skopeo copy"
        ) from error
    return DOCKER_ARCHIVE


def _layout_or_archive(archive: tarfile.TarFile) -> str:
    """Docker 25 and later write both an OCI layout and a manifest.json; the latter knows the tags best."""
    names = {name.removeprefix("./") for name in archive.getnames()}
    return DOCKER_ARCHIVE if "manifest.json" in names else OCI_ARCHIVE
