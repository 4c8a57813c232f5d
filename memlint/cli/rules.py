"""`memlint rules`."""

from __future__ import annotations

from memlint.cli.output import write_output
from memlint.config import load_config
from memlint.lint.ruleset import Rule, load_rules
from memlint.lint.selection import with_severities
from memlint.report.json import to_json
from memlint.report.rules import to_table
from memlint.report.terminal import terminal_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def rules(arguments: argparse.Namespace) -> int:
    """List the rules."""
    found = configured_rules(arguments)
    if arguments.format == "json":
        text = to_json(found)
    else:
        text = to_table(found, terminal_for(arguments.output_file, no_color=arguments.no_color))
    write_output(text, arguments.output_file)
    return 0


def configured_rules(arguments: argparse.Namespace) -> tuple[Rule, ...]:
    """All rules, the user's own too, as the configuration has them."""
    config = load_config({}, file=arguments.config, isolated=arguments.isolated)
    return with_severities(load_rules(more=config.rules), config)
