"""`python -m memlint`."""

from memlint.cli.main import run

run()
