"""Decompression alone, a process that layers.py runs: python floor.py plain|gzip|zstd BLOB..."""

from __future__ import annotations

import os
import sys


def main() -> None:
    compression, *blobs = sys.argv[1:]
    buffer = memoryview(bytearray(1 << 20))
    for blob in blobs:
        if compression == "gzip":
            from isal import igzip

            with igzip.open(blob) as unzipped:  # type: ignore[no-untyped-call]
                while unzipped.readinto(buffer):
                    pass
        elif compression == "zstd":
            import zstandard

            with open(blob, "rb") as stored, zstandard.ZstdDecompressor().stream_reader(stored) as plain:
                while plain.readinto(buffer):
                    pass
        else:
            descriptor = os.open(blob, os.O_RDONLY)
            while os.readv(descriptor, [buffer]):
                pass
            os.close(descriptor)


if __name__ == "__main__":
    main()
