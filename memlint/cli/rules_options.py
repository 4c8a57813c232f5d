"""The options of `memlint rules`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.lint_options import config_options
from memlint.cli.options import flag, option

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_options(parser: Any) -> None:
    parser.description = "List all rules, with the severities that the configuration gives them."
    parser.set_defaults(command=_rules)
    option(
        parser, "-f", "--format", choices=("text", "json"), default="text", help="%(choices)s (default: %(default)s)"
    )
    option(parser, "-o", "--output-file", metavar="FILE", help="write there instead of to standard output")
    config_options(parser)
    flag(parser, "--no-color", help="no colours (NO_COLOR and FORCE_COLOR are obeyed, too)")


def _rules(arguments: argparse.Namespace) -> int:
    from memlint.cli.rules import rules

    return rules(arguments)
