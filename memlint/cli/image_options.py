"""Options that say which images are read and how: what all commands about images share."""

from __future__ import annotations

import argparse
import os

from memlint import TYPE_CHECKING
from memlint.cli.options import flag, option
from memlint.cli.values import image_path, size, whole_number
from memlint.model.vocabulary import ELF_KINDS, KINDS, STORAGE

if TYPE_CHECKING:
    from typing import Any


def fleet_options(group: Any) -> None:
    storage_option(group)
    option(
        group,
        "--replicas",
        metavar="NAME=N",
        type=_replicas,
        action="append",
        help="containers of an image on the node (default 1); may be repeated",
    )
    platform_option(group)
    kinds_option(group)


def storage_option(group: Any) -> None:
    option(
        group,
        "--storage",
        metavar="MODEL",
        choices=tuple(STORAGE),
        help="what the node's store shares: %(choices)s (default: what the daemon reports, else overlay2)",
    )


def platform_option(group: Any) -> None:
    option(
        group,
        "--platform",
        metavar="OS/ARCH",
        help="which of a multi-platform image's images to take (default: this machine's)",
    )


def kinds_option(group: Any) -> None:
    option(
        group,
        "--kinds",
        metavar="KIND,…",
        type=_kinds,
        default=",".join(ELF_KINDS),
        help=f"kinds of files that count, or all: {', '.join(KINDS)} (default: %(default)s)",
    )


def profile_option(group: Any) -> None:
    option(
        group,
        "--profile",
        metavar="FILE",
        action="append",
        help="what memlint measure --record wrote: price by the pages that running containers kept; may be repeated",
    )


def dockerfile_options(group: Any, dockerfile: str, compose: str) -> None:
    """Where the images' Dockerfiles are; the texts say what becomes of that."""
    option(group, "--dockerfile", metavar="IMAGE=PATH", type=image_path, action="append", help=dockerfile)
    option(group, "--compose", metavar="FILE", action="append", help=compose)


def reading_options(group: Any) -> None:
    cache_dir(group)
    flag(group, "--no-cache", help="neither read nor write the cache of layers")
    flag(group, "--no-verify", help="do not compare digests and diff IDs; nothing is cached then")
    option(group, "--jobs", metavar="N", type=whole_number, help="layers read at a time (default: one per core)")
    option(
        group,
        "--max-layer-size",
        metavar="SIZE",
        type=size,
        help="refuse layers that hold more, uncompressed (default 64GiB)",
    )
    option(
        group,
        "--max-ratio",
        metavar="N",
        type=whole_number,
        help="refuse layers compressed more than N:1, as bombs are (default 250)",
    )
    option(
        group,
        "--max-entries",
        metavar="N",
        type=whole_number,
        help="refuse layers of more entries (default 4000000)",
    )
    flag(group, "--absolute-names", help="take a layer's absolute names from its root, as Docker does; ko writes them")
    option(
        group,
        "--max-window",
        metavar="SIZE",
        type=size,
        help="refuse zstd layers that need more memory (default 128MiB)",
    )


def cache_dir(group: Any) -> None:
    option(
        group,
        "--cache-dir",
        metavar="DIR",
        default=_default_cache_dir(),
        help="where layer indexes are kept (default: $XDG_CACHE_HOME/memlint)",
    )


def _default_cache_dir() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "memlint")


def _replicas(text: str) -> tuple[str, int]:
    name, equals, count = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=N")
    return name, whole_number(count)


def _kinds(text: str) -> tuple[str, ...]:
    kinds = KINDS if text == "all" else tuple(part.strip() for part in text.split(","))
    for kind in kinds:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f"{kind!r} is no kind of file: choose of {', '.join(KINDS)}, or all")
    return kinds
