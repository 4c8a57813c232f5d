"""Small images out of tiny descriptions, in every form that builders, registries and daemons write them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

OCI = "application/vnd.oci.image."
MANIFEST, INDEX, CONFIG = f"{OCI}manifest.v1+json", f"{OCI}index.v1+json", f"{OCI}config.v1+json"
LAYER = f"{OCI}layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Link:
    """A symlink."""

    target: str


@dataclass(frozen=True)
class Hard:
    """A hard link to another path of the archive."""

    target: str


@dataclass(frozen=True)
class Dir:
    """A directory; `opaque` hides what lower layers put in it."""

    opaque: bool = False


@dataclass(frozen=True)
class Gone:
    """A whiteout."""


Content = bytes | Link | Hard | Dir | Gone
Tree = Mapping[str, Content]
Files = dict[str, Content]
Json = dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """One instruction's layer. All regular files can be executed."""

    tree: Tree
    created_by: str = "RUN true"
    mtime: int = 0
    created: str | None = None


@dataclass(frozen=True)
class Spec:
    """An image."""

    name: str
    layers: tuple[Layer, ...]
    config: Json = field(default_factory=dict)
    platform: str = "linux/amd64"
    history: tuple[str, ...] | None = None


def image(
    name: str,
    *layers: Tree | Layer,
    platform: str = "linux/amd64",
    history: tuple[str, ...] | None = None,
    **config: Any,
) -> Spec:
    """An image; `config` as the image's config spells it: Entrypoint, Cmd, Env, WorkingDir.

    `history` are the instructions that made no layer, if they are told.
    """
    made = tuple(layer if isinstance(layer, Layer) else Layer(layer) for layer in layers)
    return Spec(name, made, config, platform, history)


def tar(tree: Tree, mtime: int = 0) -> bytes:
    """The tree as a layer's tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in tree.items():
            for info in _entries(path, content):
                info.mtime, info.mode = mtime, 0o755
                archive.addfile(info, io.BytesIO(content if isinstance(content, bytes) else b""))
    return out.getvalue()


def _entries(path: str, content: Content) -> Iterable[tarfile.TarInfo]:
    parent, _, name = path.rpartition("/")
    info = tarfile.TarInfo(path)
    if isinstance(content, bytes):
        info.size = len(content)
    elif isinstance(content, Gone):
        info.name = f"{parent}/.wh.{name}".lstrip("/")
    elif isinstance(content, Dir):
        info.type = tarfile.DIRTYPE
    else:
        info.type = tarfile.SYMTYPE if isinstance(content, Link) else tarfile.LNKTYPE
        info.linkname = content.target
    if path or not isinstance(content, Dir):
        yield info
    if isinstance(content, Dir) and content.opaque:
        yield tarfile.TarInfo(f"{path}/.wh..wh..opq".lstrip("/"))


def digest(data: bytes) -> str:
    """As descriptors write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def encode(value: object) -> bytes:
    """As JSON."""
    return json.dumps(value).encode()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


def config_of(spec: Spec) -> bytes:
    """The image's config."""
    system, architecture, *variant = spec.platform.split("/")
    return encode(
        {
            "architecture": architecture,
            "os": system,
            **({"variant": variant[0]} if variant else {}),
            "config": spec.config,
            "rootfs": {
                "type": "layers",
                "diff_ids": [digest(tar(layer.tree, layer.mtime)) for layer in spec.layers],
            },
            "history": [
                {"created_by": layer.created_by, **({"created": layer.created} if layer.created else {})}
                for layer in spec.layers
            ]
            + [{"created_by": text, "empty_layer": True} for text in spec.history or ()],
        }
    )


class Layout:
    """An OCI image layout in the making: `files` by their path, `entries` those of index.json."""

    def __init__(self) -> None:
        self.files: Files = {"oci-layout": encode({"imageLayoutVersion": "1.0.0"})}
        self.entries: list[Json] = []

    def blob(self, media_type: str, data: bytes) -> Json:
        """Add a blob; its descriptor."""
        name = digest(data)
        self.files["blobs/" + name.replace(":", "/")] = data
        return {"mediaType": media_type, "digest": name, "size": len(data)}

    def manifest(self, spec: Spec, codec: str = "", **changes: Any) -> Json:
        """Add an image without a name; its manifest's descriptor. `changes` replace fields of the manifest."""
        suffix = f"+{codec}" if codec else ""
        layers = [self.blob(LAYER + suffix, COMPRESS[codec](tar(layer.tree, layer.mtime))) for layer in spec.layers]
        value = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(CONFIG, config_of(spec))}
        return self.blob(MANIFEST, encode({**value, "layers": layers, **changes}))

    def index(self, *manifests: Json) -> Json:
        """Add an index of manifests; its descriptor."""
        return self.blob(INDEX, encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))

    def name(self, descriptor: Json, name: str | None) -> None:
        """Put a descriptor into index.json."""
        named = {"annotations": {REF_NAME: name}} if name is not None else {}
        self.entries.append({**descriptor, **named})
        self.files["index.json"] = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries})

    def write(self, directory: Path) -> Path:
        """The layout as a directory."""
        for name, content in self.files.items():
            assert isinstance(content, bytes)
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return directory


def for_platform(descriptor: Json, platform: str) -> Json:
    """The descriptor as an index lists it."""
    system, architecture, *variant = platform.split("/")
    said = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
    return {**descriptor, "platform": said}


def attestation(layout: Layout, subject: Json) -> Json:
    """What BuildKit lists beside an image: a manifest for unknown/unknown whose layer is no tar."""
    body = layout.blob("application/vnd.in-toto+json", b'{"_type": "statement"}')
    config = layout.blob(CONFIG, encode({"architecture": "unknown", "os": "unknown", "rootfs": {"diff_ids": []}}))
    manifest = layout.blob(MANIFEST, encode({"schemaVersion": 2, "config": config, "layers": [body]}))
    notes = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": subject["digest"],
    }
    return {**for_platform(manifest, "unknown/unknown"), "annotations": notes}


def oci(*specs: Spec, codec: str = "") -> Layout:
    """A layout that holds the images by their names."""
    layout = Layout()
    for spec in specs:
        layout.name(layout.manifest(spec, codec), spec.name)
    return layout


def docker_old(*specs: Spec) -> Files:
    """`docker save` up to Docker 24: `ID/layer.tar`; a layer that an earlier image brought is a symlink to it."""
    files: Files = {}
    entries = []
    written: dict[str, str] = {}
    for spec in specs:
        names = []
        for layer in spec.layers:
            data = tar(layer.tree, layer.mtime)
            identity = hashlib.sha256(spec.name.encode() + data).hexdigest()
            name = f"{identity}/layer.tar"
            first = written.setdefault(digest(data), name)
            files[f"{identity}/VERSION"] = b"1.0"
            files[f"{identity}/json"] = encode({"id": identity})
            files[name] = data if first == name else Link(f"../{first}")
            names.append(name)
        config = config_of(spec)
        name = digest(config).removeprefix("sha256:") + ".json"
        files[name] = config
        entries.append({"Config": name, "RepoTags": [spec.name], "Layers": names})
    return {**files, "manifest.json": encode(entries)}


def docker_skopeo(*specs: Spec) -> Files:
    """What skopeo writes as docker-archive: `DIFFID.tar`."""
    files: Files = {}
    entries = []
    for spec in specs:
        names = []
        for layer in spec.layers:
            data = tar(layer.tree, layer.mtime)
            names.append(digest(data).removeprefix("sha256:") + ".tar")
            files[names[-1]] = data
        config = config_of(spec)
        name = digest(config).removeprefix("sha256:") + ".json"
        files[name] = config
        entries.append({"Config": name, "RepoTags": [spec.name], "Layers": names})
    return {**files, "manifest.json": encode(entries)}


def docker_25(*specs: Spec) -> Files:
    """`docker save` from Docker 25 on: an OCI layout, and a manifest.json that names its blobs."""
    layout = oci(*specs)
    entries = [
        {
            "Config": "blobs/" + digest(config_of(spec)).replace(":", "/"),
            "RepoTags": [spec.name],
            "Layers": ["blobs/" + digest(tar(layer.tree, layer.mtime)).replace(":", "/") for layer in spec.layers],
        }
        for spec in specs
    ]
    return {"blobs": Dir(), "blobs/sha256": Dir(), **layout.files, "manifest.json": encode(entries)}


def write_tar(files: Tree, path: Path, codec: str = "") -> Path:
    """The files as an archive."""
    path.write_bytes(COMPRESS[codec](tar(files)))
    return path


def dpkg(name: str, version: str, *paths: str) -> Files:
    """What dpkg notes about one installed package."""
    status = f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
    listing = "".join(f"/{path}\n" for path in paths)
    return {"var/lib/dpkg/status": status.encode(), f"var/lib/dpkg/info/{name}.list": listing.encode()}
