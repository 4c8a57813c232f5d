"""`memlint cache`."""

from __future__ import annotations

import argparse
from pathlib import Path

from memlint.layers.cache import Cache
from memlint.model.units import human_size


def cache(arguments: argparse.Namespace) -> int:
    """Show the cache, or remove entries of it."""
    kept = Cache(Path(arguments.cache_dir))
    if arguments.action == "info":
        entries, size = kept.usage()
        print(f"{kept.directory}: {entries} entries, {human_size(size)}")
        return 0
    entries, size = kept.prune(0 if arguments.action == "clear" else arguments.max_size)
    print(f"{kept.directory}: removed {entries} entries, {human_size(size)}")
    return 0
