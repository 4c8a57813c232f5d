"""The options of `memlint explain`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.lint_options import config_options
from memlint.cli.options import flag, option

if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_options(parser: Any) -> None:
    parser.description = "Say of a rule what it finds, why it matters in RAM, and what to do."
    parser.set_defaults(command=_explain)
    parser.add_argument("rules", nargs="+", metavar="RULE", help="ids or names")
    option(
        parser, "-f", "--format", choices=("text", "json"), default="text", help="%(choices)s (default: %(default)s)"
    )
    config_options(parser)
    flag(parser, "--no-color", help="no colours (NO_COLOR and FORCE_COLOR are obeyed, too)")


def _explain(arguments: argparse.Namespace) -> int:
    from memlint.cli.explain import explain

    return explain(arguments)
