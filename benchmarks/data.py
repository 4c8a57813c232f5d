"""Makes the images that layers.py reads: Debian packages, installed one layer at a time into a directory.

    python benchmarks/data.py [--data DIR] [--mirror URL]

Needs root (for chroot), debootstrap, pigz and zstd, installs nothing on this machine, and keeps the result.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

DEFAULT = Path(tempfile.gettempdir()) / "memlint-benchmark"
SUITE = "bookworm"
COMPRESSIONS = ("plain", "gzip", "zstd")
LAYERS = {  # from the bottom up; the packages that each adds to what lies below
    "base": (),
    "small": ("gcc", "g++"),
    "big": ("nodejs", "npm", "clang", "llvm", "golang-go", "python3-numpy"),
    "science": ("python3-scipy",),
    "rust": ("rustc", "cargo"),
    "media": ("ffmpeg", "imagemagick"),
}
IMAGES = {name: (name,) for name in LAYERS} | {"image": ("base", "small", "big"), "six": tuple(LAYERS)}
NOT_SHIPPED = ("var/cache/apt", "var/lib/apt/lists")
MEDIA_TYPE = "application/vnd.oci.image.{}"
SUFFIX = {"plain": "", "gzip": "+gzip", "zstd": "+zstd"}
COMMAND = {"gzip": ("pigz", "-6", "-n"), "zstd": ("zstd", "-q", "-3", "-T0")}


@dataclass(frozen=True)
class Blob:
    """A file of the pool, named by its own digest."""

    path: Path
    digest: str
    size: int

    def descriptor(self, media_type: str) -> dict[str, object]:
        return {
            "mediaType": MEDIA_TYPE.format(media_type),
            "digest": f"sha256:{self.digest}",
            "size": self.size,
        }


def layout(data: Path, image: str, compression: str) -> Path:
    return data / "oci" / f"{image}-{compression}"


def archive(data: Path) -> Path:
    return data / "image.docker.tar"


def blob(data: Path, image: str, compression: str) -> Path:
    """The only layer's blob of a one-layer image."""
    return blobs(data, image, compression)[0]


def blobs(data: Path, image: str, compression: str) -> list[Path]:
    root = layout(data, image, compression)

    def load(descriptor: dict[str, str]) -> dict[str, list[dict[str, str]]]:
        value: dict[str, list[dict[str, str]]] = json.loads(find(descriptor).read_bytes())
        return value

    def find(descriptor: dict[str, str]) -> Path:
        return root / "blobs" / descriptor["digest"].replace(":", "/")

    index = json.loads((root / "index.json").read_bytes())
    return [find(layer) for layer in load(index["manifests"][0])["layers"]]


def ready(data: Path) -> Path:
    """The mark of complete data; it comes last."""
    return data / "READY"


def snapshot(root: Path) -> dict[str, tuple[int, ...]]:
    """Every path with what changes when the path does."""
    found: dict[str, tuple[int, ...]] = {}
    pending = [""]
    while pending:
        with os.scandir(root / pending.pop()) as entries:
            for entry in entries:
                path = os.path.relpath(entry.path, root)
                if path in NOT_SHIPPED:
                    continue
                stat = entry.stat(follow_symlinks=False)
                found[path] = (stat.st_ino, stat.st_mode, stat.st_size, stat.st_ctime_ns)
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
    return found


def write_tar(root: Path, before: dict[str, tuple[int, ...]], target: Path) -> dict[str, tuple[int, ...]]:
    """The layer between two states of a directory, as a tar; gives the later state."""
    after = snapshot(root)

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.mtime, member.uname, member.gname = int(member.mtime), "", ""
        return member

    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(after):
            if after[path] != before.get(path):
                tar.add(root / path, path, recursive=False, filter=anonymous)
        for path in sorted(before.keys() - after.keys()):
            parent, _, name = path.rpartition("/")
            if not parent or parent in after:
                tar.addfile(tarfile.TarInfo(os.path.join(parent, f".wh.{name}")))
    return after


def make_tars(work: Path, mirror: list[str]) -> dict[str, Path]:
    root, tars = work / "root", {name: work / f"{name}.tar" for name in LAYERS}
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C",
    }
    state: dict[str, tuple[int, ...]] = {}
    for name, packages in LAYERS.items():
        print(f"layer {name}: {' '.join(packages) or 'debootstrap'}", flush=True)
        if packages:
            install = ["apt-get", "install", "-qq", "--no-install-recommends", *packages]
            command = ["chroot", str(root), *install]
        else:
            command = ["debootstrap", "--variant=minbase", SUITE, str(root), *mirror]
        log = work / f"{name}.log"
        with log.open("wb") as output:
            subprocess.run(command, env=environment, stdout=output, stderr=output, check=True)
        if not packages:
            no_services = root / "usr/sbin/policy-rc.d"
            no_services.write_text("#!/bin/sh\nexit 101\n")
            no_services.chmod(0o755)
        state = write_tar(root, state, tars[name])
    return tars


def into_pool(pool: Path, source: Path) -> Blob:
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    target = pool / digest.hexdigest()
    source.rename(target)
    return Blob(target, target.name, target.stat().st_size)


def json_into_pool(pool: Path, value: object) -> Blob:
    scratch = pool / "scratch"
    scratch.write_text(json.dumps(value))
    return into_pool(pool, scratch)


def make_blobs(pool: Path, tars: dict[str, Path]) -> dict[tuple[str, str], Blob]:
    """Each layer in each compression."""
    made: dict[tuple[str, str], Blob] = {}
    for name, tar in tars.items():
        print(f"compressing {name}", flush=True)
        for compression, command in COMMAND.items():
            packed = tar.with_suffix(f".{compression}")
            with tar.open("rb") as source, packed.open("wb") as target:
                subprocess.run(command, stdin=source, stdout=target, check=True)
            made[name, compression] = into_pool(pool, packed)
        made[name, "plain"] = into_pool(pool, tar)
    return made


def make_layout(data: Path, image: str, compression: str, made: dict[tuple[str, str], Blob]) -> list[Blob]:
    """One OCI layout whose blobs are hard links into the pool; gives the config, then the layers."""
    root, names = layout(data, image, compression), IMAGES[image]
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = json_into_pool(
        data / "pool",
        {
            "os": "linux",
            "architecture": architecture,
            "config": {"Cmd": ["/bin/bash"], "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{made[name, 'plain'].digest}" for name in names],
            },
            "history": [
                {"created_by": f"RUN apt-get install {' '.join(LAYERS[name])}" if LAYERS[name] else f"FROM {SUITE}"}
                for name in names
            ],
        },
    )
    layers = [made[name, compression] for name in names]
    layer_type = f"layer.v1.tar{SUFFIX[compression]}"
    manifest = json_into_pool(
        data / "pool",
        {
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE.format("manifest.v1+json"),
            "config": config.descriptor("config.v1+json"),
            "layers": [layer.descriptor(layer_type) for layer in layers],
        },
    )
    (root / "blobs/sha256").mkdir(parents=True)
    for each in (config, manifest, *layers):
        os.link(each.path, root / "blobs/sha256" / each.digest)
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    index = {"schemaVersion": 2, "manifests": [manifest.descriptor("manifest.v1+json")]}
    (root / "index.json").write_text(json.dumps(index))
    return [config, *layers]


def make_archive(data: Path, config: Blob, layers: list[Blob]) -> None:
    """What `docker save` writes since Docker 25."""
    names = [f"blobs/sha256/{each.digest}" for each in (config, *layers)]
    manifest = [{"Config": names[0], "RepoTags": ["memlint-benchmark:latest"], "Layers": names[1:]}]
    with tarfile.open(archive(data), "w") as tar:
        for name, each in zip(names, (config, *layers), strict=True):
            tar.add(each.path, name)
        tar.add(json_into_pool(data / "pool", manifest).path, "manifest.json")


def prepare(data: Path, mirror: str | None = None) -> None:
    """Make the data unless it is there."""
    if ready(data).exists():
        return
    for program in ("debootstrap", *(command[0] for command in COMMAND.values())):
        if not shutil.which(program):
            sys.exit(f"{program} is not on PATH: on Debian, apt-get install debootstrap pigz zstd")
    for folder in (data / "oci", data / "pool"):
        shutil.rmtree(folder, ignore_errors=True)
    (data / "pool").mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=data) as work:
        tars = make_tars(Path(work), [mirror] if mirror else [])
        made = make_blobs(data / "pool", tars)
        for image in IMAGES:
            for compression in COMPRESSIONS:
                config, *layers = make_layout(data, image, compression, made)
                if (image, compression) == ("image", "plain"):
                    make_archive(data, config, layers)
    shutil.rmtree(data / "pool")
    ready(data).write_text("")


def data_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=DEFAULT, help="where the data is kept (default: %(default)s)")


def main() -> None:
    parser = argparse.ArgumentParser(description="make the images that layers.py reads")
    data_option(parser)
    parser.add_argument("--mirror", help="Debian mirror (default: debootstrap's)")
    arguments = parser.parse_args()
    prepare(arguments.data, arguments.mirror)


if __name__ == "__main__":
    main()
