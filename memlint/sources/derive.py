"""What all sources share: documents are parsed and verified, and chain IDs, names and processes are derived."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from memlint.errors import SourceError
from memlint.model.digest import ChainID, DiffID, chain_ids, parse_diff_id
from memlint.model.image import BaseDigest, Blob, Descriptor, Directory, Image, Layer, Process
from memlint.sources.inherited import ContainerConfig, settings_of, users_of

_T = TypeVar("_T")
_BROKEN = "the image is damaged or was written by a broken tool: save, pull or build it again"
_FIXED = 366 * 10 * 86_400
"""Times of 1970 to 1980 are those of reproducible builds."""
LAYERS_MAX = 2000
"""Layers of one image; the stores themselves end at 125 (overlay2) to 500."""


class History(msgspec.Struct, frozen=True):
    """One instruction of the build."""

    created_by: str = ""
    empty_layer: bool = False
    created: object = None


class RootFS(msgspec.Struct, frozen=True):
    """The layers, bottom first."""

    diff_ids: list[str] = []


class ImageConfig(msgspec.Struct, frozen=True):
    """OCI image-spec config.md; Docker's image config is the same as far as this goes."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    config: ContainerConfig | None = None
    rootfs: RootFS = RootFS()
    history: list[History] | None = None


def parse_document(data: bytes, kind: type[_T], where: str) -> _T:
    """JSON as the shape `kind`; SourceError naming `where` when it is none, or of another shape."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{where} is not what it should be: {error}", _BROKEN) from error


def config_id(data: bytes) -> str:
    """The digest of a config, which most engines call the image by."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def verify_document(data: bytes, digest: str, where: str) -> None:
    """SourceError when `data` is not what `digest` (sha256 or sha512) promises."""
    algorithm, _, expected = digest.partition(":")
    found = hashlib.new(algorithm, data).hexdigest()
    if found != expected:
        raise SourceError(f"{where}: its digest is {algorithm}:{found}, not {digest}", _BROKEN)


def diff_ids_of(config: ImageConfig, where: str) -> list[DiffID]:
    """The config's diff IDs, validated."""
    if len(config.rootfs.diff_ids) > LAYERS_MAX:
        raise SourceError(f"{where}: has more than {LAYERS_MAX} layers", _BROKEN)
    try:
        return [parse_diff_id(text) for text in config.rootfs.diff_ids]
    except ValueError as error:
        raise SourceError(f"{where}: a diff ID is {error}", _BROKEN) from error


def make_image(
    ref: str,
    name: str,
    config: ImageConfig,
    descriptors: Sequence[Descriptor],
    contents: Sequence[Blob | Directory | None],
    ids: Sequence[str],
    base: BaseDigest | None = None,
) -> Image:
    """An image out of its config and, for each of the config's layers, a descriptor and where its bytes are.

    `base` is what its manifest tells of the image it was built on.

    SourceError when the manifest and the config do not count the same layers.
    """
    diff_ids = diff_ids_of(config, ref)
    if not len(diff_ids) == len(descriptors) == len(contents):
        raise SourceError(f"{ref}: its manifest lists {len(descriptors)} layers, its config {len(diff_ids)}", _BROKEN)
    entries = _entries(config, len(diff_ids))
    layers = tuple(
        Layer(descriptor, diff_id, chain_id, entry.created_by, content, _time(entry.created))
        for descriptor, diff_id, chain_id, entry, content in zip(
            descriptors, diff_ids, chain_ids(diff_ids), entries, contents, strict=True
        )
    )
    own = config.config or ContainerConfig()
    said = [entry.created_by for entry in config.history or ()]
    return Image(
        ref=ref,
        name=name,
        platform=platform_of(config),
        process=_process(own),
        layers=layers,
        on_build=tuple(own.on_build or ()),
        ids=tuple(dict.fromkeys(ids)),
        settings=settings_of(own),
        users=users_of(said) if said else None,
        base=base,
    )


def _entries(config: ImageConfig, count: int) -> list[History]:
    """What the history says of each layer; nothing where it is about others."""
    made = [entry for entry in config.history or [] if not entry.empty_layer]
    return made if len(made) == count else [History()] * count


def _time(created: object) -> int | None:
    """Seconds since 1970 of a time as RFC 3339 writes it; None for none, and for those that builders put for all."""
    try:
        time = msgspec.convert(created, datetime)
    except msgspec.ValidationError:
        return None
    seconds = int(time.timestamp()) if time.tzinfo is not None else 0
    return seconds if seconds > _FIXED else None


def platform_of(config: ImageConfig) -> str:
    """`os/architecture[/variant]`."""
    return "/".join(part for part in (config.os or "linux", config.architecture or "unknown", config.variant) if part)


def chain_of(image: Image) -> ChainID | None:
    """The chain ID of the whole image; None for one without layers."""
    return image.layers[-1].chain_id if image.layers else None


def short_name(reference: str) -> str:
    """`registry/team/web:1.4` → `web:1.4`; a digest is cut to its first twelve digits."""
    name, at, digest = reference.partition("@")
    name = name.rsplit("/", 1)[-1]
    if at:
        return f"{name}@{digest.rpartition(':')[2][:12]}"
    return name.removeprefix("sha256:")[:12] if name.startswith("sha256:") else name.removesuffix(":latest")


def _process(config: ContainerConfig) -> Process:
    return Process(
        tuple(config.entrypoint or ()),
        tuple(config.cmd or ()),
        tuple(config.env or ()),
        config.working_dir or "/",
        config.user or "",
    )
