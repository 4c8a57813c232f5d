"""`memlint explain`."""

from __future__ import annotations

from memlint.cli.output import write_output
from memlint.cli.rules import configured_rules
from memlint.lint.selection import find_rule
from memlint.report.json import to_json
from memlint.report.rules import to_page
from memlint.report.terminal import terminal_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def explain(arguments: argparse.Namespace) -> int:
    """Print the pages of the rules that are named."""
    known = configured_rules(arguments)
    found = [find_rule(known, name, "") for name in dict.fromkeys(arguments.rules)]
    if arguments.format == "json":
        write_output(to_json(found), None)
        return 0
    terminal = terminal_for(None, no_color=arguments.no_color)
    write_output("\n\n".join(to_page(rule, terminal) for rule in found), None)
    return 0
