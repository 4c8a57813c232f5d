"""Options of a look at this host that several commands have."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.options import listed, option
from memlint.cli.values import part, seconds, size

if TYPE_CHECKING:
    from typing import Any

MAX_MAPPING = "1GiB"


def container_option(group: Any) -> None:
    listed(group, "--container", metavar="NAME,…", help="only these containers: names, or IDs or their beginnings")


def look_options(group: Any) -> None:
    """How closely a look looks."""
    option(
        group,
        "--max-cpu",
        metavar="SECONDS",
        type=seconds,
        help="stop looking after so much time of a processor; the rest counts as not seen",
    )
    option(
        group,
        "--sample",
        metavar="RATIO",
        type=part,
        default="1",
        help="look into the pages of this part of the processes, for example 0.2; memory is that of all (default: all)",
    )
    option(
        group,
        "--max-mapping",
        metavar="SIZE",
        type=size,
        default=MAX_MAPPING,
        help="leave out mappings that are larger, whose page tables are long to walk; which is said then"
        " (default: %(default)s)",
    )
