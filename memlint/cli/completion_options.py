"""The options of `memlint completion`."""

from __future__ import annotations

import argparse

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

SHELLS = ("bash", "zsh", "fish")

_EPILOG = """\
to switch it on:
  bash  eval "$(memlint completion bash)"             in ~/.bashrc
  zsh   eval "$(memlint completion zsh)"              in ~/.zshrc, after compinit
  fish  memlint completion fish | source              in ~/.config/fish/config.fish"""


def add_options(parser: Any) -> None:
    parser.description = "Print what makes a shell complete memlint's commands, options and their values."
    parser.epilog = _EPILOG
    parser.set_defaults(command=_completion)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="%(choices)s")


def _completion(arguments: argparse.Namespace) -> int:
    from memlint.cli.completion import completion

    return completion(arguments)
