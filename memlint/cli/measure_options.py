"""The options of `memlint measure`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.host_options import container_option, look_options
from memlint.cli.options import flag, listed, option
from memlint.cli.output_options import color_option, format_option, limit_options, top_option
from memlint.cli.values import seconds
from memlint.model.vocabulary import MEASURE_BY, MEASURE_SORTS

if TYPE_CHECKING:
    import argparse
    from typing import Any

FORMATS = ("text", "json", "prometheus", "markdown")

_DESCRIPTION = """\
Measure what the containers of this host hold in RAM: RSS, PSS, USS and swap, which file pages they really share, and
which the kernel holds more than once.

The figures are the kernel's own (smaps_rollup, and the page frames behind each mapping), not estimates. Page frames
need root; without it, memlint shows the rest of what one may see, and says what is missing."""

_EPILOG = """\
examples:
  sudo memlint measure                                     # the containers of this host
  sudo memlint measure --by image --sort pss
  sudo memlint measure --container web --container worker
  memlint measure --pid $$                                 # one's own processes need no root
  sudo memlint measure -f prometheus -o /var/lib/node_exporter/memlint.prom
  sudo memlint measure --record fleet.profile.json         # then: memlint compare … --profile fleet.profile.json
  sudo memlint measure --min-efficiency 0.9                # a gate: exit 1 when missed

exit codes: 0 answered (and the gate holds), 1 the gate does not hold, 2 could not be answered, or the gate could not
be judged because not all could be seen
Every option can be set by the environment, too: --max-seconds as MEMLINT_MAX_SECONDS, and so on."""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_measure)
    _host_options(parser.add_argument_group("what is looked at"))
    _look_options(parser.add_argument_group("looking"))
    option(
        parser,
        "--record",
        metavar="FILE",
        help="add what containers that are seen wholly keep resident to this profile, which compare and plan take as"
        " their basis",
    )
    _output_options(parser.add_argument_group("output"))
    limit_options(parser.add_argument_group("gate"), "file pages")


def _host_options(group: Any) -> None:
    container_option(group)
    listed(group, "--cgroup", metavar="PATH,…", help="only processes in these cgroups, and below them")
    listed(group, "--pid", metavar="PID,…", help="only these processes")
    flag(group, "--all", help="plain processes, too: those in no container")


def _look_options(group: Any) -> None:
    option(group, "--max-seconds", metavar="SECONDS", type=seconds, help="stop looking after so long")
    look_options(group)
    flag(group, "--cached", help="also count pages in the page cache that no process maps")


def _output_options(group: Any) -> None:
    format_option(
        group,
        FORMATS,
        "text for people, json for programs, prometheus for node_exporter's textfile collector, markdown for a"
        " summary (default: %(default)s)",
    )
    option(group, "-o", "--output-file", metavar="FILE", help="write there, by renaming, instead of to standard output")
    option(
        group,
        "--by",
        choices=MEASURE_BY,
        default="container",
        help="what the lines of the table are (default: %(default)s)",
    )
    option(
        group,
        "--sort",
        choices=MEASURE_SORTS,
        default="duplicate",
        help="what orders them, the greatest first: %(choices)s (default: %(default)s)",
    )
    top_option(group, "show the first N lines of each table in text and markdown (default: %(default)s)")
    color_option(group)


def _measure(arguments: argparse.Namespace) -> int:
    from memlint.cli.measure import measure

    return measure(arguments)
