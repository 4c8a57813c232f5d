"""The options of `memlint explain`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.lint_options import config_options
from memlint.cli.output_options import color_option, format_option

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_options(parser: Any) -> None:
    parser.description = "Say of a rule what it finds, why it matters in RAM, and what to do."
    parser.set_defaults(command=_explain)
    parser.add_argument("rules", nargs="+", metavar="RULE", help="ids or names")
    format_option(parser, help="%(choices)s (default: %(default)s)")
    config_options(parser)
    color_option(parser)


def _explain(arguments: argparse.Namespace) -> int:
    from memlint.cli.explain import explain

    return explain(arguments)
