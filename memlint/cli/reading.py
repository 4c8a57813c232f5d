"""What the options of reading images mean to those who read them."""

from __future__ import annotations

import sys

import msgspec

from memlint.layers.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from memlint.api import ReadOptions
    from memlint.layers.progress import Progress

_SWITCH = 1e-4
"""Seconds between switches of threads."""
_LIMITS = {
    "max_layer_size": "max_layer_bytes",
    "max_ratio": "max_ratio",
    "max_entries": "max_entries",
    "max_window": "max_window",
}


def switch_often() -> None:
    """Threads that decompress and digest ask for the GIL once per block: the 5 ms that Python lets them wait is a
    block."""
    sys.setswitchinterval(_SWITCH)


def read_options(arguments: argparse.Namespace, progress: Progress | None) -> ReadOptions:
    """What the call says of how images are read."""
    return {
        "storage": arguments.storage,
        "platform": arguments.platform,
        "kinds": arguments.kinds,
        "cache_dir": None if arguments.no_cache else arguments.cache_dir,
        "limits": reading_limits(arguments),
        "verify": not arguments.no_verify,
        "jobs": arguments.jobs,
        "progress": progress,
    }


def reading_limits(arguments: argparse.Namespace) -> Limits:
    """What the call says of the limits of layers."""
    given = {field: value for option, field in _LIMITS.items() if (value := getattr(arguments, option)) is not None}
    return msgspec.structs.replace(Limits(), absolute_names=arguments.absolute_names, **given)
