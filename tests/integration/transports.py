"""The same images in every form that memlint reads."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

_OCI = "application/vnd.oci.image"


def skopeo(source: str, target: str, *options: str) -> None:
    """Copy one image between transports of containers-transports(5)."""
    command = ["skopeo", "--insecure-policy", "copy", "--quiet", *options, source, target]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def media_types(layout: Path) -> set[str]:
    """The media types of all layers in an OCI layout."""
    index = json.loads((layout / "index.json").read_bytes())
    manifests = [json.loads(_blob(layout, entry["digest"]).read_bytes()) for entry in index["manifests"]]
    return {layer["mediaType"] for manifest in manifests for layer in manifest["layers"]}


def as_docker_25(saved: Path, target: Path) -> None:
    """Rewrite an older `docker save` as Docker 25 and later write it: an OCI layout with a manifest.json."""
    with tarfile.open(saved) as old, tarfile.open(target, "w") as new:
        images = json.load(_member(old, "manifest.json"))
        written: set[str] = set()

        def add(name: str, content: bytes) -> None:
            if name not in written:
                written.add(name)
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                new.addfile(entry, io.BytesIO(content))

        def add_blob(media_type: str, content: bytes) -> dict[str, Any]:
            digest = hashlib.sha256(content).hexdigest()
            add(f"blobs/sha256/{digest}", content)
            return {"mediaType": f"{_OCI}.{media_type}", "digest": f"sha256:{digest}", "size": len(content)}

        index = []
        for image in images:
            layers = [add_blob("layer.v1.tar", _member(old, layer).read()) for layer in image["Layers"]]
            config = add_blob("config.v1+json", _member(old, image["Config"]).read())
            manifest = {
                "schemaVersion": 2,
                "mediaType": f"{_OCI}.manifest.v1+json",
                "config": config,
                "layers": layers,
            }
            for tag in image["RepoTags"]:
                names = {
                    "io.containerd.image.name": tag,
                    "org.opencontainers.image.ref.name": tag.rpartition(":")[2],
                }
                index.append({**add_blob("manifest.v1+json", json.dumps(manifest).encode()), "annotations": names})
            image["Config"] = _path(config)
            image["Layers"] = [_path(layer) for layer in layers]
            image["LayerSources"] = {layer["digest"]: layer for layer in layers}
        add("index.json", json.dumps({"schemaVersion": 2, "manifests": index}).encode())
        add("manifest.json", json.dumps(images).encode())
        add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _member(archive: tarfile.TarFile, name: str) -> io.BufferedIOBase:
    """A member's bytes; layers that images share are symbolic links in an older `docker save`."""
    file = archive.extractfile(name)
    assert file is not None, name
    assert isinstance(file, io.BufferedIOBase)
    return file


def _path(descriptor: dict[str, Any]) -> str:
    return "blobs/" + str(descriptor["digest"]).replace(":", "/")


def _blob(layout: Path, digest: str) -> Path:
    return layout / _path({"digest": digest})
