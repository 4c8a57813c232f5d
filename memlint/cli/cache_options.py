"""The options of `memlint cache`."""

from __future__ import annotations

import argparse

from memlint import TYPE_CHECKING
from memlint.cli.image_options import cache_dir
from memlint.cli.options import option
from memlint.cli.values import size

if TYPE_CHECKING:
    from typing import Any


def add_options(parser: Any) -> None:
    parser.description = "The cache keeps what memlint read of a layer, by diff ID: no layer is read twice."
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, text in (
        ("info", "where it is, and how large"),
        ("clear", "remove all entries"),
        ("prune", "remove the least recently used entries"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.set_defaults(command=_cache, action=name)
        cache_dir(action)
        if name == "prune":
            option(
                action,
                "--max-size",
                metavar="SIZE",
                type=size,
                default="1GiB",
                help="how much may stay (default: %(default)s)",
            )


def _cache(arguments: argparse.Namespace) -> int:
    from memlint.cli.cache import cache

    return cache(arguments)
