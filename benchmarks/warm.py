"""A warm `compare` of a fleet: 50 images of 10 layers, all of them in the cache.

    python benchmarks/warm.py [--data DIR] [--rounds N]

The fleet is made up, its shape is not: four bases, ten teams' layers on them, four layers of each image's
own; each layer has 60 to 100 ELF files (this machine's small ones, a third of them in more than one layer),
300 to 2 000 other files and a package database.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import data
from isal import igzip
from racing import MEMLINT, Contestant, header, race, row, run, title

IMAGES, BASES, TEAMS = 50, 4, 10
BASE_LAYERS, TEAM_LAYERS, OWN_LAYERS = 4, 2, 4
LARGEST = 20_000  # bytes of an ELF file taken from this machine
ENOUGH = 300  # of these
PACKAGES = 12  # a layer
TRIPLET = "usr/lib/x86_64-linux-gnu"


def small_elf_files() -> list[bytes]:
    found: list[bytes] = []
    for top in ("/usr/lib", "/usr/bin", str(Path(os.__file__).parent)):
        for folder, folders, names in os.walk(top):
            folders.sort()
            for path in (Path(folder, name) for name in sorted(names)):
                if path.is_file() and not path.is_symlink() and path.stat().st_size < LARGEST:
                    content = path.read_bytes()
                    if content.startswith(b"\x7fELF"):
                        found.append(content)
            if len(found) >= ENOUGH:
                return found
    sys.exit(f"only {len(found)} ELF files under {LARGEST} bytes on this machine, {ENOUGH} are wanted")


def shell() -> Iterator[tuple[str, bytes]]:
    """The shell and what it loads, so that the images have something to start."""
    listing = subprocess.run(("ldd", "/bin/sh"), capture_output=True, text=True, check=True).stdout
    for path in ["/bin/sh", *re.findall(r"(/\S+) \(", listing)]:
        yield path.removeprefix("/"), Path(path).read_bytes()


def layer_files(names: list[str], pool: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """The last of these layers: a pure function of the names and the pool."""
    name = names[-1]
    chance = random.Random(name)  # noqa: S311 - wanted: the same at every run
    if len(names) == 1:
        yield from shell()
    packages: dict[str, list[str]] = {f"lib{name}{number}": [] for number in range(PACKAGES)}
    for number in range(chance.randint(60, 100)):
        content = chance.choice(pool)
        common = chance.random() < 1 / 3
        tail = b"" if common else f"{name}/{number}".encode()
        label = hashlib.sha256(content).hexdigest()[:8] if common else f"{name}-{number}"
        path = f"{TRIPLET}/lib{label}.so.1"
        chance.choice(list(packages.values())).append(path)
        yield path, content + tail
    for number in range(chance.randint(300, 2000)):
        path = f"usr/share/{name}/{chance.randrange(40)}/{number}.txt"
        chance.choice(list(packages.values())).append(path)
        yield path, b""
    for package, paths in packages.items():
        yield f"var/lib/dpkg/info/{package}.list", "".join(f"/{path}\n" for path in paths).encode()
    status = "Package: lib{}{}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-1\n\n"
    entries = (status.format(each, number) for each in names for number in range(PACKAGES))
    yield "var/lib/dpkg/status", "".join(entries).encode()


def make_layer(blobs: Path, names: list[str], pool: list[bytes]) -> tuple[dict[str, object], str]:
    """Descriptor and diff ID of one gzip layer."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        written = set()
        for path, content in layer_files(names, pool):
            if path not in written:
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(content), 0o755
                tar.addfile(member, io.BytesIO(content))
                written.add(path)
    packed = bytes(igzip.compress(plain.getvalue(), 1))
    diff_id = f"sha256:{hashlib.sha256(plain.getvalue()).hexdigest()}"
    return put(blobs, packed, "layer.v1.tar+gzip"), diff_id


def put(blobs: Path, content: bytes, media_type: str) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return data.Blob(blobs / digest, digest, len(content)).descriptor(media_type)


def layer_names(image: int) -> list[str]:
    team = image % TEAMS
    base = team % BASES
    return [
        *(f"base{base}x{number}" for number in range(BASE_LAYERS)),
        *(f"team{team}x{number}" for number in range(TEAM_LAYERS)),
        *(f"image{image}x{number}" for number in range(OWN_LAYERS)),
    ]


def make_fleet(root: Path) -> None:
    """One layout that holds all images, each under its name."""
    if (root / "index.json").exists():
        return
    shutil.rmtree(root, ignore_errors=True)
    blobs = root / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    pool = small_elf_files()
    layers: dict[str, tuple[dict[str, object], str]] = {}
    manifests = []
    for image in range(IMAGES):
        names = layer_names(image)
        for number, name in enumerate(names, 1):
            if name not in layers:
                layers[name] = make_layer(blobs, names[:number], pool)
        config = {
            "os": "linux",
            "architecture": "amd64",
            "config": {"Entrypoint": ["/bin/sh"], "Env": ["PATH=/usr/bin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layers[name][1] for name in names]},
            "history": [{"created_by": f"RUN install {name}"} for name in names],
        }
        manifest = {
            "schemaVersion": 2,
            "config": put(blobs, json.dumps(config).encode(), "config.v1+json"),
            "layers": [layers[name][0] for name in names],
        }
        descriptor = put(blobs, json.dumps(manifest).encode(), "manifest.v1+json")
        manifests.append(descriptor | {"annotations": {"org.opencontainers.image.ref.name": f"image{image}"}})
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))


def main() -> None:
    parser = argparse.ArgumentParser(description="a warm compare of 50 images of 10 layers")
    data.data_option(parser)
    parser.add_argument("--rounds", type=int, default=5, help="runs (default: %(default)s)")
    arguments = parser.parse_args()
    root, cache = arguments.data / "fleet", arguments.data / "fleet-cache"
    make_fleet(root)
    shutil.rmtree(cache, ignore_errors=True)

    images = [f"oci:{root}:image{number}" for number in range(IMAGES)]
    flags = ("--cache-dir", str(cache), "--no-progress", "-o", "/dev/null")
    compare = (*MEMLINT, "compare", *images, *flags)
    cold = race([Contestant("cold, fills the cache", compare)], 1)
    warm = [Contestant(f"warm, {form}", (*compare, "--format", form)) for form in ("text", "json")]
    nothing = Contestant("python -c pass", (sys.executable, "-c", "pass"))
    run(warm[0])
    results = cold | race([nothing, *warm], arguments.rounds)

    header("msgspec", "zstandard", "blake3")
    title(f"{IMAGES} images of {BASE_LAYERS + TEAM_LAYERS + OWN_LAYERS} layers; ratio: of 1 s")
    for name, result in results.items():
        if name.startswith("warm"):
            row(name, result, result.seconds, 1.0)
        else:
            row(name, result)
    print(f"  the cache: {sum(path.stat().st_size for path in cache.rglob('*') if path.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
