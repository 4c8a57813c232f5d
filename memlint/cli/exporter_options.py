"""The options of `memlint exporter`."""

from __future__ import annotations

import argparse

from memlint import TYPE_CHECKING
from memlint.cli.host_options import look_options
from memlint.cli.options import flag, option
from memlint.cli.values import seconds

if TYPE_CHECKING:
    from typing import Any

PORT = 9097
"""Below the range that Prometheus hands out to exporters, which is all taken."""

_DESCRIPTION = """\
Serve what `memlint measure` sees to Prometheus: /metrics, /-/healthy, and a page at /.

A scrape never costs more than one look, and a look no more than --max-seconds; within --interval of the last one, all
scrapes get its answer. Nobody looks while nobody asks."""

_EPILOG = """\
examples:
  sudo memlint exporter
  sudo memlint exporter --listen '[::1]:9097' --interval 300 --sample 0.2

in prometheus.yml:
  scrape_configs:
  - job_name: memlint
    scrape_interval: 1m
    scrape_timeout: 15s
    static_configs: [{targets: ["localhost:9097"]}]

exit codes: 0 ended by SIGTERM or Ctrl-C, 2 could not serve
Every option can be set by the environment, too: --interval as MEMLINT_INTERVAL, and so on."""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_exporter)
    option(
        parser,
        "--listen",
        metavar="HOST:PORT",
        type=address,
        default=f"127.0.0.1:{PORT}",
        help="where to serve; port 0 takes a free one, which is printed (default: %(default)s)",
    )
    option(
        parser,
        "--interval",
        metavar="SECONDS",
        type=seconds,
        default="60",
        help="no look begins sooner after the last one (default: %(default)s)",
    )
    option(
        parser,
        "--max-seconds",
        metavar="SECONDS",
        type=seconds,
        default="10",
        help="stop a look after so long; the rest counts as not seen (default: %(default)s)",
    )
    look_options(parser)
    flag(parser, "--all", help="plain processes, too: those in no container")


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:9097`, `[::1]:9097`, `localhost:9097`, or `:9097` for all addresses."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535 or (":" in host and not bracketed):
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write 127.0.0.1:{PORT}, or [::1]:{PORT}")
    return host[1:-1] if bracketed else host, int(port)


def _exporter(arguments: argparse.Namespace) -> int:
    from memlint.cli.exporter import exporter

    return exporter(arguments)
