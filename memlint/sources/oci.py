"""OCI image layouts, as directories and as archives (OCI image-spec: image-layout.md, image-index.md, manifest.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from memlint.errors import SourceError
from memlint.model.digest import Digest, parse_digest
from memlint.model.image import BaseDigest, Blob, Descriptor, Image
from memlint.sources.derive import (
    LAYERS_MAX,
    ImageConfig,
    make_image,
    parse_document,
    platform_of,
    short_name,
    verify_document,
)
from memlint.sources.platform import choose, expect
from memlint.sources.reference import Reference
from memlint.sources.store import DocumentStore, Store

INDEX = "index.json"
_INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
_MANIFESTS = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
_LAYERS = frozenset(
    {
        *(f"application/vnd.oci.image.layer.v1.tar{suffix}" for suffix in ("", "+gzip", "+zstd")),
        *(
            f"application/vnd.docker.image.rootfs.diff.tar{suffix}"
            for suffix in ("", ".gzip", ".zstd", "+gzip", "+zstd")
        ),
    }
)
_FOREIGN = ("nondistributable", "foreign")
_BASE_NAME, _BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
_REF_NAME, _IMAGE_NAME = "org.opencontainers.image.ref.name", "io.containerd.image.name"
_ATTESTATION = "vnd.docker.reference.type"
_MERE_TAG = re.compile(r"(?:v?\d[\w.-]*|latest)\Z")
_NESTING_MAX = 8
_ENTRIES_MAX = 10_000


class Platform(msgspec.Struct, frozen=True):
    """An index's word on what a manifest is for."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """A descriptor as JSON has it."""

    digest: str
    size: int
    media_type: str = ""
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def names(self) -> list[str]:
        """What the layout calls it; where there are two, the second is the mere tag."""
        annotations = self.annotations or {}
        return [annotations[key] for key in (_IMAGE_NAME, _REF_NAME) if key in annotations]


class Index(msgspec.Struct, frozen=True):
    """An image index, or a layout's index.json."""

    manifests: list[Entry] = []


class Manifest(msgspec.Struct, frozen=True):
    """An image manifest."""

    config: Entry
    layers: list[Entry] = []
    annotations: object = None


def images(store: Store, reference: Reference, platform: str | None) -> list[Image]:
    """The image that the reference picks, or all that the layout names.

    SourceError when there is none, or when what is there is damaged or of an unknown kind.
    """
    entries = parse_document(store.document(INDEX), Index, f"{store.name}: {INDEX}").manifests[:_ENTRIES_MAX]
    if reference.image is not None:
        picked = _grouped(entry for entry in entries if reference.image in (*entry.names, entry.digest))
        if not picked:
            raise SourceError(f"{reference.text}: {store.name} has no such image", _there_is(entries))
        return [_image(store, reference, picked[0], platform)]
    groups = _grouped(entries)
    if not groups:
        raise SourceError(
            f"{reference.text}: the layout holds no image", "write one into it, for example with skopeo copy"
        )
    if len(groups) == 1:
        return [_image(store, reference, groups[0], platform)]
    return [
        _image(store, reference.named(next(iter(group[0].names), group[0].digest)), group, platform) for group in groups
    ]


def _grouped(entries: Iterable[Entry]) -> list[list[Entry]]:
    """The entries of each image. Those of one name that have a platform are one image for several platforms."""
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        if not _is_attestation(entry):
            groups.setdefault(tuple(entry.names) if entry.platform else entry.digest, []).append(entry)
    distinct: dict[tuple[str, ...], list[Entry]] = {}
    for group in groups.values():
        distinct.setdefault(tuple(entry.digest for entry in group), group)
    return list(distinct.values())


def _there_is(entries: list[Entry]) -> str:
    names = sorted({name for entry in entries for name in entry.names})
    return f"it has: {', '.join(names[:10])}" if names else "it names none; give the layout without a name"


def _image(store: Store, reference: Reference, entries: Sequence[Entry], platform: str | None) -> Image:
    where = reference.text
    entry = _manifest_of(store, entries, platform, where)
    manifest = parse_document(_blob(store, entry, where), Manifest, f"{where}: its manifest")
    if len(manifest.layers) > LAYERS_MAX:
        raise SourceError(
            f"{where}: has more than {LAYERS_MAX} layers",
            "no runtime would start it: look at where it comes from",
        )
    config = parse_document(_blob(store, manifest.config, where), ImageConfig, f"{where}: its config")
    if entry.platform is None:  # else it was chosen by that; old builders leave the variant out of the config
        expect(platform_of(config), platform, where)
    descriptors = [_layer(layer, where) for layer in manifest.layers]
    contents = [_content(store, descriptor, where) for descriptor in descriptors]
    names = entries[0].names or entry.names
    name = _name(reference, reference.image or next(iter(names), ""))
    ids = (manifest.config.digest, entry.digest, *(each.digest for each in entries))
    return make_image(where, name, config, descriptors, contents, ids, _base(manifest.annotations))


def _base(annotations: object) -> BaseDigest | None:
    """What builders note of the image in FROM, if it is a digest."""
    told = annotations if isinstance(annotations, Mapping) else {}
    try:
        return BaseDigest(parse_digest(told.get(_BASE_DIGEST)), str(told.get(_BASE_NAME) or ""))
    except ValueError:
        return None


def _name(reference: Reference, named: str) -> str:
    """For people. skopeo puts a mere tag where others put the whole name; the layout's own name goes before it then."""
    place = reference.location.rstrip("/").rpartition("/")[2]
    if not named:
        return short_name(place)
    return short_name(f"{place}:{named}" if _MERE_TAG.match(named) else named)


def _manifest_of(store: Store, entries: Sequence[Entry], platform: str | None, where: str) -> Entry:
    """Follow indexes down to the one manifest that is meant."""
    leaves = [leaf for entry in entries for leaf in _leaves(store, entry, where, 0)]
    if not leaves:
        raise SourceError(f"{where}: its index lists no image", "pull or copy the image again")
    return leaves[_chosen(store, leaves, platform, where)]


def _leaves(store: Store, entry: Entry, where: str, depth: int) -> Iterator[Entry]:
    if _is_attestation(entry):
        return
    if entry.media_type in _MANIFESTS:
        yield entry
    elif entry.media_type in _INDEXES:
        if depth == _NESTING_MAX:
            raise SourceError(
                f"{where}: its indexes nest more than {_NESTING_MAX} deep",
                "no builder writes this: look at where it comes from",
            )
        index = parse_document(_blob(store, entry, where), Index, f"{where}: its index")
        for inner in index.manifests[:_ENTRIES_MAX]:
            yield from _leaves(store, inner, where, depth + 1)
    elif depth == 0:
        raise SourceError(
            f"{where}: is of the media type {entry.media_type or '(none)'!r}",
            "memlint reads OCI and Docker (schema 2) images",
        )


def _chosen(store: Store, leaves: list[Entry], platform: str | None, where: str) -> int:
    if len(leaves) == 1 and (platform is None or leaves[0].platform is None):
        return 0
    return choose([_platform(store, leaf, where) for leaf in leaves], platform, where)


def _is_attestation(entry: Entry) -> bool:
    """BuildKit puts provenance and SBOMs beside images, as manifests for the platform unknown/unknown."""
    return _ATTESTATION in (entry.annotations or {}) or (entry.platform is not None and entry.platform.os == "unknown")


def _platform(store: Store, entry: Entry, where: str) -> str:
    if (said := entry.platform) is not None:
        return "/".join(part for part in (said.os, said.architecture, said.variant) if part)
    manifest = parse_document(_blob(store, entry, where), Manifest, f"{where}: its manifest")
    return platform_of(parse_document(_blob(store, manifest.config, where), ImageConfig, f"{where}: its config"))


def _blob(store: Store, entry: Entry, where: str) -> bytes:
    """A document, verified against its descriptor."""
    digest = _digest(entry, where)
    data = store.document(_path(digest))
    verify_document(data, digest, f"{where}: {digest[:19]}")
    return data


def _layer(entry: Entry, where: str) -> Descriptor:
    if any(word in entry.media_type for word in _FOREIGN):
        raise SourceError(
            f"{where}: the layer {entry.digest[:19]} is foreign: its bytes are not part of the image",
            "pull it from where it was published, with a tool that fetches foreign layers",
        )
    if entry.media_type not in _LAYERS:
        raise SourceError(
            f"{where}: the layer {entry.digest[:19]} is of the media type {entry.media_type[:80]!r}",
            "memlint reads tar layers, plain, gzip or zstd: convert the image with skopeo copy",
        )
    return Descriptor(entry.media_type, _digest(entry, where), entry.size)


def _content(store: Store, descriptor: Descriptor, where: str) -> Blob | None:
    if isinstance(store, DocumentStore):
        return None
    digest = descriptor.digest
    if digest is None or store.size(_path(digest)) is None:
        raise SourceError(
            f"{where}: the layer {(digest or '')[:19]} is missing from {store.name}", "pull or copy the image again"
        )
    return Blob(partial(store.open, _path(digest)))


def _digest(entry: Entry, where: str) -> Digest:
    try:
        return parse_digest(entry.digest)
    except ValueError as error:
        raise SourceError(f"{where}: a descriptor's digest is {error}", "pull or copy the image again") from error


def _path(digest: Digest) -> str:
    return "blobs/" + digest.replace(":", "/")
