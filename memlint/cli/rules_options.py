"""The options of `memlint rules`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.lint_options import config_options
from memlint.cli.output_options import color_option, file_option, format_option

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_options(parser: Any) -> None:
    parser.description = "List all rules, with the severities that the configuration gives them."
    parser.set_defaults(command=_rules)
    format_option(parser, help="%(choices)s (default: %(default)s)")
    file_option(parser)
    config_options(parser)
    color_option(parser)


def _rules(arguments: argparse.Namespace) -> int:
    from memlint.cli.rules import rules

    return rules(arguments)
