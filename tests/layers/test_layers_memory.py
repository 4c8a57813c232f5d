"""A layer's size does not show in the memory that reading it takes."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from support.elf import library
from tars import END, header, member

READ = """
import sys
from memlint.layers.archive import index_tar
from memlint.layers.limits import Limits
from memlint.layers.stream import Promised
with open(sys.argv[1], "rb") as file:
    promised = Promised(diff_id=None if sys.argv[2] == "verify" else "sha256:" + "0" * 64)
    index = index_tar(file, Limits(), promised, verify=sys.argv[2] == "verify")
assert len(index.files) == 3, index.files
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""
MIB = 1 << 20


def _layer(path: Path, megabytes: int) -> None:
    """A library with much behind what is mapped, a model, and a file nobody maps; written with holes."""
    size = megabytes * MIB // 4
    elf = library("liba.so", pages=4)
    with open(path, "wb") as file:
        for name, front in ((b"liba.so", elf), (b"model", b"GGUF"), (b"data", b"data")):
            file.write(header(name, size) + front)
            file.seek(size - len(front), 1)
        file.write(member(b"libb.so", elf + bytes(range(256)) * (size // 256)) + END)


def _packed(path: Path, codec: str) -> Path:
    packed = path.with_suffix(".packed")
    with open(path, "rb") as plain, open(packed, "wb") as out:
        if codec == "zstd":
            zstandard.ZstdCompressor(level=1).copy_stream(plain, out)
        else:
            with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as zipped:
                shutil.copyfileobj(plain, zipped, MIB)
    return packed


@pytest.mark.parametrize(("mode", "packed"), [("verify", ""), ("trust", ""), ("verify", "gzip"), ("verify", "zstd")])
def test_memory_does_not_grow_with_the_layer(mode: str, packed: str, tmp_path: Path) -> None:
    peaks = []
    for megabytes in (20, 200):
        path = tmp_path / f"{megabytes}.tar"
        _layer(path, megabytes)
        if packed:
            path = _packed(path, packed)
        done = subprocess.run([sys.executable, "-c", READ, str(path), mode], check=True, capture_output=True)
        peaks.append(int(done.stdout))
        path.unlink()
    assert peaks[1] - peaks[0] < 16 * 1024
    assert peaks[1] < 64 * 1024
