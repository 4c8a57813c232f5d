"""Fleets without files: descriptions of images → what the room `sharing` takes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import cast

import msgspec

from memlint.layers.limits import Limits
from memlint.layers.progress import Silent
from memlint.layers.reading import Reading
from memlint.model.digest import DiffID, chain_ids, parse_diff_id
from memlint.model.image import Blob, Descriptor, Image, Layer, Process, Reader
from memlint.model.layer import LayerIndex
from memlint.model.profile import Profile
from memlint.model.report import Report
from memlint.model.vocabulary import ELF_KINDS
from memlint.sharing.fleet import compare_images
from memlint.sharing.resident import known
from memlint.sharing.startup import Startup, startup_set
from memlint.sharing.storage import storage_model
from memlint.sharing.view import View, merge_views
from memlint.sources.inherited import ContainerConfig, settings_of, users_of
from support import images

_NOTHING = Descriptor(images.LAYER, None, None)


@cache
def _indexed(data: bytes) -> LayerIndex:
    diff_id = parse_diff_id(images.digest(data))
    blob = Blob(lambda: cast(Reader, io.BytesIO(data)))
    layer = Layer(Descriptor(images.LAYER, None, None), diff_id, chain_ids([diff_id])[0], "", blob)
    reading = Reading(None, Limits(), Silent(), verify=True, jobs=1)
    return reading.indexes([Image("x", "x", "linux/amd64", Process(), (layer,))])[diff_id]


def loaded(*specs: images.Spec) -> tuple[list[Image], dict[DiffID, LayerIndex]]:
    """The images and the indexes of their layers."""
    found: list[Image] = []
    indexes: dict[DiffID, LayerIndex] = {}
    for spec in specs:
        read = [_indexed(images.tar(layer.tree, layer.mtime)) for layer in spec.layers]
        indexes.update((index.diff_id, index) for index in read)
        diff_ids = [index.diff_id for index in read]
        layers = tuple(
            Layer(_NOTHING, diff_id, chain_id, layer.created_by, _blob(layer), seconds(layer.created))
            for diff_id, chain_id, layer in zip(diff_ids, chain_ids(diff_ids), spec.layers, strict=True)
        )
        config = spec.config
        process = Process(
            tuple(config.get("Entrypoint", ())),
            tuple(config.get("Cmd", ())),
            tuple(config.get("Env", ())),
            config.get("WorkingDir", "/"),
            config.get("User", ""),
        )
        settings = settings_of(msgspec.convert(config, ContainerConfig))
        users = None if spec.history is None else users_of(spec.history)
        on_build = tuple(config.get("OnBuild", ()))
        image = Image(spec.name, spec.name, spec.platform, process, layers, on_build, settings=settings, users=users)
        found.append(image)
    return found, indexes


def _blob(layer: images.Layer) -> Blob:
    data = images.tar(layer.tree, layer.mtime)
    return Blob(lambda: cast(Reader, io.BytesIO(data)))


def seconds(created: str | None) -> int | None:
    """A history's time."""
    return int(datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp()) if created else None


def view(spec: images.Spec) -> View:
    """What a container of the image sees."""
    (image,), indexes = loaded(spec)
    return merge_views([image], indexes)[image.layers[-1].chain_id]


def startup(spec: images.Spec) -> Startup:
    """What starting a container of the image maps."""
    (image,), _ = loaded(spec)
    return startup_set(view(spec), image.process)


def compared(
    *specs: images.Spec, storage: str = "overlay2", replicas: Sequence[int] = (), profile: Profile | None = None
) -> Report:
    """The report on the images."""
    found, indexes = loaded(*specs)
    recorded = None if profile is None else known(profile)
    return compare_images(found, replicas or [1] * len(found), indexes, storage_model(storage), ELF_KINDS, recorded)
