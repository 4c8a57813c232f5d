"""Options of the output, and of what it is judged by, that several commands have."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.options import flag, option
from memlint.cli.output import STANDARD_OUTPUT
from memlint.cli.values import ratio, size, whole_number

if TYPE_CHECKING:
    from typing import Any


def format_option(
    group: Any,
    choices: tuple[str, ...] = ("text", "json"),
    help: str = "text for people, json for programs (default: %(default)s)",  # noqa: A002  # argparse's own word
) -> None:
    option(group, "-f", "--format", choices=choices, default="text", help=help)


def file_option(group: Any) -> None:
    option(
        group, "-o", "--output-file", metavar="FILE", type=_file, help="write there instead of to standard output (-)"
    )


def _file(text: str) -> str | None:
    return None if text == STANDARD_OUTPUT else text


def top_option(group: Any, help: str) -> None:  # noqa: A002
    option(group, "--top", metavar="N", type=whole_number, default="10", help=help)


def color_option(group: Any) -> None:
    flag(group, "--no-color", help="no colours (NO_COLOR and FORCE_COLOR are obeyed, too)")


def progress_option(group: Any) -> None:
    flag(group, "--no-progress", help="no progress bar; there is none anyway where standard error is no terminal")


def limit_options(group: Any, whole: str) -> None:
    """What a gate may ask of totals; `whole` is what the distinct bytes are a part of."""
    option(
        group,
        "--min-efficiency",
        metavar="RATIO",
        type=ratio,
        help=f"exit 1 when distinct / {whole} is below this, for example 0.9",
    )
    option(
        group,
        "--max-duplicate",
        metavar="SIZE",
        type=size,
        help="exit 1 when the duplicate bytes exceed this, for example 50MB",
    )
