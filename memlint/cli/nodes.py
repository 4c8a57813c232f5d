"""`memlint nodes`."""

from __future__ import annotations

import os

from memlint import api
from memlint.cli.output import write_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from memlint.model.nodes import Nodes


def nodes(arguments: argparse.Namespace) -> int:
    """Print the measurements of several nodes side by side."""
    write_output(_formatted(api.nodes([_named(text) for text in arguments.files]), arguments), arguments.output_file)
    return 0


def _named(text: str) -> str | tuple[str, str]:
    """`NAME=FILE` as a pair, unless there is a file of that very name."""
    name, equals, path = text.partition("=")
    return (name, path) if equals and name and not os.path.exists(text) else text


def _formatted(found: Nodes, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from memlint.report.json import to_json

        return to_json(found)
    if arguments.format == "markdown":
        from memlint.report.nodes.markdown import to_markdown

        return to_markdown(found, top=arguments.top)
    from memlint.report.nodes.text import to_text
    from memlint.report.terminal import terminal_for

    terminal = terminal_for(arguments.output_file, no_color=arguments.no_color)
    return to_text(found, terminal, top=arguments.top)
