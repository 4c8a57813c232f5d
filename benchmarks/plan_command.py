"""The whole of `memlint plan --write`: images read from a layout, planned and written, 100 to 10 000 of them.

    python benchmarks/plan_command.py [--images N …]

The images are small, their number is not: a distribution, one to three of forty stacks of packages by popularity in 300
combinations, and an application of their own. Seconds and peak RSS are those of the command, in a process of its own,
its layers read for the first time and once more from the cache.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.elf import library  # noqa: E402  # where tests make small ELF files and layouts
from support.images import (  # noqa: E402
    CONFIG,
    LAYER,
    MANIFEST,
    REF_NAME,
    Files,
    Json,
    Layer,
    Layout,
    encode,
    tar,
)

SIZES = (100, 1000, 10_000)
STACKS, PACKAGES, KINDS = 40, 12, 300


def stack(number: int) -> list[str]:
    return [f"s{number}p{package}" for package in range(PACKAGES)]


def layout(images: int, directory: Path) -> None:
    """Write so many images, whose layers are few. Only the manifests of all are held at once."""
    rng = random.Random(1)  # noqa: S311
    found = Layout()
    kinds = [[_stored(found, layer) for layer in _below(rng)] for _ in range(KINDS)]
    for number in range(images):
        app = Layer({"srv/app": library("app", text=str(number), pages=2)}, "COPY app /srv/")
        layers = [*kinds[min(int(rng.expovariate(0.02)), KINDS - 1)], _stored(found, app)]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"diff_ids": [descriptor["digest"] for descriptor, _ in layers]},
            "history": [{"created_by": created_by} for _, created_by in layers],
        }
        described = found.blob(CONFIG, encode(config))
        manifest = {"schemaVersion": 2, "config": described, "layers": [descriptor for descriptor, _ in layers]}
        found.entries.append({**found.blob(MANIFEST, encode(manifest)), "annotations": {REF_NAME: f"app{number}:1"}})
        for name in [name for name in found.files if name.startswith("blobs/")]:
            content = found.files.pop(name)
            assert isinstance(content, bytes)
            place = directory / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    found.files["index.json"] = encode({"schemaVersion": 2, "manifests": found.entries})
    found.write(directory)


def _stored(found: Layout, layer: Layer) -> tuple[Json, str]:
    """A layer in the layout: its descriptor, whose digest is its diff ID, and what made it."""
    return found.blob(LAYER, tar(layer.tree, layer.mtime)), layer.created_by


def _below(rng: random.Random) -> list[Layer]:
    """What an application stands on."""
    ground: Files = {"etc/os-release": b"ID=debian\nVERSION_ID=12\n", "usr/lib/libc.so.6": library("libc", pages=40)}
    layers = [Layer({**ground, **database([])}, "ADD rootfs")]
    have: list[str] = []
    for each in sorted({min(int(rng.expovariate(0.15)), STACKS - 1) for _ in range(rng.randint(1, 3))}):
        have += stack(each)
        tree = {f"usr/lib/{name}.so": library(name, pages=1 + hash_of(name) % 8) for name in stack(each)}
        layers.append(Layer({**tree, **database(have)}, f"RUN install {each}", rng.randrange(50)))
    return layers


def hash_of(name: str) -> int:
    return sum(map(ord, name))


def database(names: list[str]) -> Files:
    status = "".join(f"Package: {name}\nStatus: install ok installed\nVersion: 1\n\n" for name in names)
    lists: Files = {f"var/lib/dpkg/info/{name}.list": f"/usr/lib/{name}.so\n".encode() for name in names}
    return {**lists, "var/lib/dpkg/status": status.encode()}


def command(place: Path, out: Path) -> tuple[float, float]:
    """Seconds, and the most memory that the command took, in MB."""
    words = [
        "plan",
        f"oci:{place}",
        "--platform",
        "linux/amd64",
        "--min-saving",
        "10kB",
        "--write",
        str(out),
        "--force",
    ]
    call = [sys.executable, "-m", "memlint", *words, "--cache-dir", str(place / "cache"), "-o", f"{out}.txt"]
    start = perf_counter()
    with subprocess.Popen(call, cwd=ROOT, stderr=subprocess.DEVNULL) as started:
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(f"exit {started.returncode}: {' '.join(call)}")
    return perf_counter() - start, used.ru_maxrss / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=SIZES, help="how many, from few to many")
    parser.add_argument("--layout", type=Path, help="only write a layout of so many images there")
    arguments = parser.parse_args()
    if arguments.layout is not None:
        layout(arguments.images[0], arguments.layout)
        return 0
    print(f"{'images':>8}{'cold':>10}{'warm':>10}{'most RSS':>12}{'files':>8}")
    for images in arguments.images:
        with TemporaryDirectory() as directory:
            place, out = Path(directory) / "layout", Path(directory) / "plan"
            # in a process of its own: a child begins with as much memory as its parent has
            made = ["--images", str(images), "--layout", str(place)]
            subprocess.run([sys.executable, __file__, *made], check=True)
            cold, most = command(place, out)
            warm, again = command(place, out)
            files = sum(path.is_file() for path in out.rglob("*"))
            print(f"{images:>8}{cold:>8.1f} s{warm:>8.1f} s{max(most, again):>9.0f} MB{files:>8}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
