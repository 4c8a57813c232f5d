"""The options of `memlint nodes`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.output_options import color_option, file_option, format_option, top_option

if TYPE_CHECKING:
    import argparse
    from typing import Any

_DESCRIPTION = """\
Put the measurements of several nodes side by side: what each holds in RAM, what its stores share, and where the nodes
differ in what decides on sharing (engine, driver, options, kernel)."""

_EPILOG = """\
examples:
  memlint nodes a.json b.json c.json          # each written by: memlint measure --format json -o FILE
  memlint nodes a=<(ssh a sudo memlint measure -f json) b=<(ssh b sudo memlint measure -f json)

exit codes: 0 answered, 2 could not be answered"""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_nodes)
    parser.add_argument(
        "files",
        nargs="+",
        metavar="[NAME=]FILE",
        help="what memlint measure --format json wrote on a node; without a NAME the node is called as the file is",
    )
    format_option(parser, ("text", "json", "markdown"), "%(choices)s (default: %(default)s)")
    file_option(parser)
    top_option(parser, "show the N worst duplicates (default: %(default)s); json has all of them")
    color_option(parser)


def _nodes(arguments: argparse.Namespace) -> int:
    from memlint.cli.nodes import nodes

    return nodes(arguments)
