"""What `docker save` writes: moby's image/tarexport, `manifest.json` and the configs and layers it names.

Up to Docker 24 layers are `ID/layer.tar`, from 25 on `blobs/sha256/DIGEST`; skopeo writes `DIFFID.tar`. The names in
manifest.json say which, so one reading fits all.
"""

from __future__ import annotations

import re
from functools import partial

import msgspec

from memlint.errors import SourceError
from memlint.model.digest import Digest
from memlint.model.image import Blob, Descriptor, Image
from memlint.sources.derive import (
    ImageConfig,
    config_id,
    make_image,
    parse_document,
    platform_of,
    short_name,
    verify_document,
)
from memlint.sources.platform import expect
from memlint.sources.reference import Reference
from memlint.sources.store import DocumentStore, Store

MANIFEST = "manifest.json"
_DIGEST_NAME = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?\Z")
_BLOB_NAME = re.compile(r"blobs/sha256/([0-9a-f]{64})\Z")
_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar"


class Saved(msgspec.Struct, frozen=True, rename="pascal"):
    """One image of manifest.json."""

    config: str
    layers: list[str] = []
    repo_tags: list[str] | None = None


def images(store: Store, reference: Reference, platform: str | None) -> list[Image]:
    """The image that the reference picks, or all that were saved.

    SourceError when there is none, or when what is there is damaged.
    """
    saved = manifest(store)
    if reference.image is not None:
        picked = [entry for number, entry in enumerate(saved) if _is(entry, number, reference.image)]
        if not picked:
            names = sorted(tag for entry in saved for tag in entry.repo_tags or [])
            raise SourceError(
                f"{reference.text}: {store.name} has no such image",
                f"it has: {', '.join(names[:10]) or 'no tags; leave the name out'}",
            )
        return [image_of(store, picked[0], reference, platform)]
    if not saved:
        raise SourceError(f"{reference.text}: the archive holds no image", "write it again with docker save NAME")
    if len(saved) == 1:
        return [image_of(store, saved[0], reference, platform)]
    return [
        image_of(store, entry, reference.named((entry.repo_tags or [f"@{number}"])[0]), platform)
        for number, entry in enumerate(saved)
    ]


def manifest(store: Store) -> list[Saved]:
    """The images that were saved together."""
    return parse_document(store.document(MANIFEST), list[Saved], f"{store.name}: {MANIFEST}")


def image_of(store: Store, saved: Saved, reference: Reference, platform: str | None) -> Image:
    """One of the saved images, under the reference's name."""
    where = reference.text
    data = store.document(saved.config)
    if named := _DIGEST_NAME.match(saved.config):
        verify_document(data, f"sha256:{named[1]}", f"{where}: its config")
    config = parse_document(data, ImageConfig, f"{where}: its config")
    expect(platform_of(config), platform, where)
    name = short_name(reference.image or (saved.repo_tags or [reference.location])[0])
    descriptors = [_descriptor(store, layer) for layer in saved.layers]
    contents = [_content(store, layer, where) for layer in saved.layers]
    return make_image(where, name, config, descriptors, contents, [config_id(data)])


def _is(entry: Saved, number: int, name: str) -> bool:
    tags = entry.repo_tags or []
    return name == f"@{number}" or name in tags or f"{name}:latest" in tags


def _descriptor(store: Store, layer: str) -> Descriptor:
    named = _BLOB_NAME.match(layer)
    return Descriptor(_LAYER_TYPE, Digest(f"sha256:{named[1]}") if named else None, store.size(layer))


def _content(store: Store, layer: str, where: str) -> Blob | None:
    if isinstance(store, DocumentStore):
        return None
    if store.size(layer) is None:
        raise SourceError(
            f"{where}: the layer {layer[:80]!r} is missing from {store.name}",
            "write the archive again with docker save",
        )
    return Blob(partial(store.open, layer))
