"""References → images: daemons, layouts and archives, each opened once."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import closing

from memlint.errors import SourceError
from memlint.layers.cache import Cache
from memlint.layers.reading import Reading
from memlint.layers.stream import codec_of
from memlint.model.image import Image
from memlint.sources import docker_archive, oci
from memlint.sources.reference import DAEMON, DOCKER_ARCHIVE, OCI, Reference
from memlint.sources.store import DirectoryStore, DocumentStore, Store, TarStore


def images_of(
    references: Sequence[Reference], platform: str | None, reading: Reading, cache: Cache | None
) -> tuple[list[Image], str | None]:
    """The images in the order of their references, and the storage model that a daemon reports."""
    asked = list(dict.fromkeys(reference for reference in references if reference.transport == DAEMON))
    from_daemon, storage = _from_daemon(asked, platform, reading, cache) if asked else ({}, None)
    stores: dict[tuple[str, str], Store] = {}
    images: list[Image] = []
    for reference in references:
        if reference.transport == DAEMON:
            images.append(from_daemon[reference])
            continue
        place = (reference.transport, reference.location)
        if place not in stores:
            stores[place] = _store(reference, reading)
        store = stores[place]
        read = docker_archive.images if _is_docker_archive(reference, store) else oci.images
        images += read(store, reference, platform)
    return images, storage


def daemons_containers() -> dict[str, str]:
    """The containers that run in the daemon that images are asked of, by ID, and the ID of each one's image."""
    from memlint.sources.docker_daemon import Daemon

    return Daemon().containers()


def _store(reference: Reference, reading: Reading) -> Store:
    """A layout's directory, an archive read in place, or what an archive held that can only be read through."""
    path = reference.location
    if reference.transport == OCI:
        if not os.path.isdir(path):
            raise SourceError(
                f"{reference.text}: {path} is no directory",
                "for a file, write oci-archive:FILE or docker-archive:FILE",
            )
        return DirectoryStore(path)
    try:
        with open(path, "rb", buffering=0) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and codec_of(os.pread(file.fileno(), 16, 0)) is None:
                return TarStore(path)
            return DocumentStore(path, reading.stream(file, reference.text))
    except OSError as error:
        raise SourceError(
            f"{reference.text}: {path} cannot be read ({error.strerror})",
            "check the path and its permissions",
        ) from error


def _is_docker_archive(reference: Reference, store: Store) -> bool:
    """An archive is read as what it is: of a pipe that is known only now."""
    if reference.transport == OCI:
        return False
    saved, layout = store.size(docker_archive.MANIFEST) is not None, store.size(oci.INDEX) is not None
    return saved if saved != layout else reference.transport == DOCKER_ARCHIVE


def _from_daemon(
    references: Sequence[Reference], platform: str | None, reading: Reading, cache: Cache | None
) -> tuple[dict[Reference, Image], str | None]:
    from memlint.sources.docker_daemon import Daemon, image_from_stream, image_in_place

    daemon = Daemon()
    config_of = cache.config if cache is not None else _nothing_kept
    found: dict[Reference, Image] = {}
    rest = []
    for reference in references:
        inspected = daemon.inspect(reference, config_of)
        image = image_in_place(inspected, reading.known, platform)
        if image is None:
            rest.append(inspected)
        else:
            found[reference] = image
            if cache is not None and inspected.config is not None and config_of(inspected.image_id) is None:
                cache.put_config(inspected.image_id, inspected.config)
    if rest:
        with closing(daemon.save(rest)) as stream:
            store = DocumentStore(DAEMON, reading.stream(stream, ", ".join(each.reference.text for each in rest)))
        for inspected in rest:
            found[inspected.reference], config = image_from_stream(store, inspected, platform)
            if cache is not None:
                cache.put_config(inspected.image_id, config)
    return found, daemon.storage()


def _nothing_kept(_: str) -> None:
    return None
