"""`memlint completion`."""

from __future__ import annotations

import argparse
import os
from importlib import import_module

from memlint.cli.output import write_output


def completion(arguments: argparse.Namespace) -> int:
    """Print the script of a shell."""
    for name in [name for name in os.environ if name.startswith("MEMLINT_")]:
        del os.environ[name]  # a value that one command takes may be wrong for another
    from memlint.cli.shells.tree import read_commands

    script = getattr(import_module(f"memlint.cli.shells.{arguments.shell}"), arguments.shell)
    write_output("\n".join(script(read_commands())) + "\n", None)
    return 0
