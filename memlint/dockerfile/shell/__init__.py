"""The commands of a RUN: what runs, after what, in which directory, with which words; never a guess.

`sh -c '…'` is replaced by the commands of its script, and so is a here-document that a shell reads.
"""

from __future__ import annotations

from memlint.dockerfile.shell.builtins import join
from memlint.dockerfile.shell.evaluation import parse_shell
from memlint.dockerfile.shell.placing import commands_of
from memlint.dockerfile.shell.values import Command, Placed, ShellWord
from memlint.dockerfile.shell.wrappers import SHELLS, program

__all__ = ["SHELLS", "Command", "Placed", "ShellWord", "commands_of", "join", "parse_shell", "program"]
