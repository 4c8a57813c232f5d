"""The command line: what each command takes lies beside this. Imports argparse alone: `--help` must start fast."""

from __future__ import annotations

import argparse
from importlib import import_module

from memlint import TYPE_CHECKING, __version__
from memlint.cli.options import Help, Parser

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

_DESCRIPTION = """\
memlint finds the executables and shared libraries that container images make a node hold in RAM more than once,
prices them, and says why.

Containers share the pages of a file only when they map the same inode, and on overlay2 an inode belongs to one chain
of layers: the same library installed by two images is two inodes."""


COMMANDS = {
    "lint": "find in Dockerfiles what keeps images from sharing RAM",
    "compare": "find the same bytes in different layers of images, and price them",
    "plan": "say which bases images should share, and write them as Dockerfiles that build",
    "measure": "measure what the containers of this host really share in RAM, and what they hold twice",
    "verify": "hold what was predicted of images against what their running containers share",
    "nodes": "put the measurements of several nodes side by side, and say where they differ",
    "exporter": "serve what measure sees to Prometheus",
    "rules": "list the rules",
    "explain": "say of a rule what it finds, why it matters in RAM, and what to do",
    "completion": "print the completion of a shell",
    "cache": "look at the cache of layers, or make it smaller",
}
"""What each is for; its options are in the module that is named after it."""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed call; its `command` is the function to run."""
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    known = [first] if first in COMMANDS else []
    return build(known if known == arguments[:1] else COMMANDS, known).parse_args(arguments)


def build(commands: Iterable[str] = COMMANDS, with_options: Container[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of these commands, with the options of some: others cost time, and their variables concern nobody."""
    parser = Parser("memlint", description=_DESCRIPTION, formatter_class=Help)
    parser.add_argument("--version", action="version", version=f"memlint {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in commands:
        command = subparsers.add_parser(name, help=COMMANDS[name], formatter_class=Help)
        if name in with_options:
            import_module(f"memlint.cli.{name}_options").add_options(command)
    return parser
