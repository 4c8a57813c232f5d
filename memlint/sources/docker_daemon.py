"""Images of a Docker or Podman daemon, reading as little as can be.

What a daemon knows of an image without reading it (its diff IDs) is asked first. Layers that are cached are not read;
those of overlay2 are read where the daemon unpacked them, when this process may; the rest comes in one `docker save`
stream of all images that need it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from memlint.errors import SourceError
from memlint.model.digest import DiffID
from memlint.model.image import BaseImage, Descriptor, Directory, Image, Reader
from memlint.sources import docker_archive
from memlint.sources.derive import (
    ImageConfig,
    RootFS,
    config_id,
    diff_ids_of,
    make_image,
    parse_document,
    platform_of,
    short_name,
    verify_document,
)
from memlint.sources.docker_connection import TIMEOUT, AnswerStream, answer, connect
from memlint.sources.inherited import ContainerConfig
from memlint.sources.platform import expect
from memlint.sources.reference import Reference
from memlint.sources.store import DOCUMENT_MAX, DocumentStore

if TYPE_CHECKING:
    pass

_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar"
_NAMES_SHOWN = 3
_IMAGES_MAX = 10_000

_STORAGE = {
    "overlay2": "overlay2",
    "overlayfs": "containerd-overlayfs",
    "overlay": "containers-storage-overlay",
    "vfs": "vfs",
    "btrfs": "btrfs",
    "zfs": "zfs",
    "devicemapper": "devicemapper",
    "fuse-overlayfs": "fuse-overlayfs",
}
"""Drivers as `docker info` names them → storage models. `overlayfs` is containerd's snapshotter, `overlay` Podman's."""


class Inspected(msgspec.Struct, frozen=True):
    """What the daemon says of an image that it has."""

    reference: Reference
    image_id: str
    diff_ids: tuple[DiffID, ...]
    directories: tuple[str, ...] | None
    config: bytes | None


class Daemon:
    """A connection to the daemon that DOCKER_HOST, the current context or a well-known socket leads to."""

    def __init__(self) -> None:
        self._client = connect()
        self._api: Any = self._client.api  # its methods are not typed throughout
        self._info: Mapping[str, Any] = answer(self._client.info)

    def storage(self) -> str:
        """The storage model of the daemon's driver; the driver's own name where there is none for it."""
        driver = str(self._info.get("Driver") or "unknown")
        return _STORAGE.get(driver, driver)

    def inspect(self, reference: Reference, config_of: Callable[[str], bytes | None]) -> Inspected:
        """Ask for an image without reading it; `config_of` may know its config by image ID. SourceError when absent."""
        from docker.errors import ImageNotFound

        try:
            found = answer(partial(self._api.inspect_image, reference.location))
        except ImageNotFound:
            raise SourceError(
                f"{reference.text}: the daemon has no such image", self._advice(reference.location)
            ) from None
        image_id = str(found.get("Id", ""))
        layers = RootFS((found.get("RootFS") or {}).get("Layers") or [])
        diff_ids = tuple(diff_ids_of(ImageConfig(rootfs=layers), reference.text))
        config = self._stored_config(image_id) or config_of(image_id)
        directories = _overlay_directories(found.get("GraphDriver") or {}, len(diff_ids))
        return Inspected(reference, image_id, diff_ids, directories, config)

    def containers(self) -> dict[str, str]:
        """The containers that run there, by ID, and the ID of each one's image."""
        found = answer(self._api.containers)
        return {str(each.get("Id", "")): str(each.get("ImageID") or "") for each in found}

    def base(self, name: str) -> BaseImage | None:
        """What a build calls by this name, without reading it; None where the daemon has no such image."""
        from docker.errors import ImageNotFound

        try:
            found = answer(partial(self._api.inspect_image, name))
        except ImageNotFound:
            return None
        base = _base(name, found)
        if base is None or not self._has_snapshotter():
            return base
        # containerd's store gives a digest to what was built here, too, and no build can ask a registry for that
        return msgspec.structs.replace(base, digests=())

    def _has_snapshotter(self) -> bool:
        """Whether images lie in containerd's store."""
        return any(
            str(pair[-1]).startswith("io.containerd.snapshotter") for pair in self._info.get("DriverStatus") or ()
        )

    def digested(self, wanted: Callable[[str], bool]) -> Iterator[BaseImage]:
        """The images of which a digest, as `debian@sha256:…`, is wanted, whatever their tags mean by now."""
        for image in () if self._has_snapshotter() else answer(self._api.images)[:_IMAGES_MAX]:
            if any(map(wanted, image.get("RepoDigests") or ())) and (found := self.base(str(image["Id"]))) is not None:
                yield found

    def save(self, inspected: Sequence[Inspected]) -> Reader:
        """One stream of all these images, as `docker save` writes it."""
        api = self._api
        names = [each.reference.location for each in inspected]
        response = answer(
            lambda: api.get(
                f"{api.base_url}/v{api.api_version}/images/get",
                params={"names": names},
                stream=True,
                timeout=TIMEOUT,
            )
        )
        if response.status_code != 200:
            raise SourceError(
                f"docker-daemon: cannot save {', '.join(names)}: {response.text[:300].strip()}",
                "save them to a file with docker save, and give docker-archive:FILE",
            )
        response.raw.decode_content = True
        return AnswerStream(response.raw)

    def _stored_config(self, image_id: str) -> bytes | None:
        """The config where the daemon keeps it, if this process may read there."""
        digits = image_id.removeprefix("sha256:")
        root, driver = str(self._info.get("DockerRootDir") or ""), str(self._info.get("Driver") or "")
        if not (digits.isalnum() and root):
            return None
        path = os.path.join(root, "image", driver, "imagedb", "content", "sha256", digits)
        try:
            with open(path, "rb") as file:
                data = file.read(DOCUMENT_MAX)
        except OSError:
            return None
        verify_document(data, image_id, path)
        return data

    def _advice(self, name: str) -> str:
        tags = [tag for image in answer(self._api.images) for tag in image.get("RepoTags") or []]
        short = [tag.removesuffix(":latest") for tag in tags]
        near = difflib.get_close_matches(name.removesuffix(":latest"), short, _NAMES_SHOWN, 0.5)
        return f"it has {', '.join(near)}" if near else f"docker pull {name}, or docker image ls for what there is"


def _base(name: str, found: Mapping[str, Any]) -> BaseImage | None:
    layers = RootFS((found.get("RootFS") or {}).get("Layers") or [])
    try:
        own = msgspec.convert(found.get("Config") or {}, ContainerConfig)
    except msgspec.ValidationError:
        return None  # what cannot be told is not known
    architecture, system, variant = (str(found.get(key) or "") for key in ("Architecture", "Os", "Variant"))
    config = ImageConfig(architecture, system, variant, own, layers)
    directories = _overlay_directories(found.get("GraphDriver") or {}, len(layers.diff_ids))
    readable = directories is not None and all(map(_readable, directories))
    contents = [Directory(path) for path in directories] if directories and readable else [None] * len(layers.diff_ids)
    ids = [str(found.get("Id") or "")]
    image = make_image(name, name, config, [Descriptor(_LAYER_TYPE, None, None)] * len(contents), contents, ids)
    return BaseImage(image, tuple(found.get("RepoDigests") or ()))


def image_in_place(inspected: Inspected, known: Callable[[DiffID], bool], platform: str | None) -> Image | None:
    """The image, when its config is known and each layer is either `known` already or can be read in place."""
    if inspected.config is None:
        return None
    readable = inspected.directories if inspected.directories and all(map(_readable, inspected.directories)) else None
    if readable is None and not all(known(diff_id) for diff_id in inspected.diff_ids):
        return None
    where = inspected.reference.text
    config = parse_document(inspected.config, ImageConfig, f"{where}: its config")
    expect(platform_of(config), platform, where)
    if tuple(diff_ids_of(config, where)) != inspected.diff_ids:
        return None
    descriptors = [Descriptor(_LAYER_TYPE, None, None)] * len(inspected.diff_ids)
    contents = [Directory(path) for path in readable] if readable else [None] * len(descriptors)
    ids = (inspected.image_id, config_id(inspected.config))
    return make_image(where, short_name(inspected.reference.location), config, descriptors, contents, ids)


def image_from_stream(store: DocumentStore, inspected: Inspected, platform: str | None) -> tuple[Image, bytes]:
    """The image and its config, from the documents of a `save` stream that has passed."""
    saved = docker_archive.manifest(store)
    reference = inspected.reference
    digits = inspected.image_id.removeprefix("sha256:")
    tag = reference.location if ":" in reference.location.rpartition("/")[2] else f"{reference.location}:latest"
    ranked = sorted(
        saved,
        key=lambda entry: (
            digits not in entry.config,
            not any(known == tag or known.endswith(f"/{tag}") for known in entry.repo_tags or []),
        ),
    )
    for entry in ranked:
        image = docker_archive.image_of(store, entry, reference, platform)
        if tuple(layer.diff_id for layer in image.layers) == inspected.diff_ids:
            ids = tuple(dict.fromkeys((inspected.image_id, *image.ids)))
            image = msgspec.structs.replace(image, name=short_name(reference.location), ids=ids)
            return image, store.document(entry.config)
    raise SourceError(
        f"{reference.text}: the daemon's stream does not hold it",
        "save it to a file with docker save, and give docker-archive:FILE",
    )


def _overlay_directories(graph_driver: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """Where overlay2 keeps the layers, bottom first."""
    data = graph_driver.get("Data") or {}
    if graph_driver.get("Name") != "overlay2" or not data.get("UpperDir"):
        return None
    lower = str(data.get("LowerDir") or "")
    directories = (str(data["UpperDir"]), *(part for part in lower.split(":") if part))[::-1]
    return directories if len(directories) == count else None


def _readable(path: str) -> bool:
    return os.access(path, os.R_OK | os.X_OK)
