"""The options of `memlint compare`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.image_options import dockerfile_options, fleet_options, profile_option, reading_options
from memlint.cli.lint_options import FORMATS, config_options
from memlint.cli.options import flag, option
from memlint.cli.output_options import (
    color_option,
    file_option,
    format_option,
    limit_options,
    progress_option,
    top_option,
)
from memlint.cli.values import size

if TYPE_CHECKING:
    import argparse
    from typing import Any

_DESCRIPTION = """\
Compare images: which executables and libraries would lie in RAM more than once on a node that runs them all, how many
bytes, in which layers, made by which instructions, and why they are not shared.

The figures are potential: upper bounds from the files themselves (4 KiB pages of the read-only segments), not
measurements."""

_EPILOG = """\
images:
  docker-daemon:NAME          an image of the local Docker or Podman daemon (a bare NAME means this, too)
  docker-archive:FILE[:NAME]  what docker save wrote, plain or compressed
  oci:DIR[:NAME]              an OCI image layout
  oci-archive:FILE[:NAME]     an OCI image layout as a tar
  An archive or layout without a NAME stands for all the images in it; FILE may be - for standard input.

examples:
  memlint compare web worker api
  memlint compare docker-daemon:web oci:./build/api docker-archive:cache.tar
  memlint compare web worker --replicas web=4 --storage vfs
  memlint compare web worker --compose compose.yaml -f sarif -o memlint.sarif
  memlint compare oci:build --min-efficiency 0.9 --max-duplicate 50MB     # a gate for CI

exit codes: 0 answered (and the gate holds), 1 the gate does not hold, 2 could not be answered
Every option can be set by the environment, too: --cache-dir as MEMLINT_CACHE_DIR, and so on."""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_compare)
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    fleet = parser.add_argument_group("the fleet")
    fleet_options(fleet)
    profile_option(fleet)
    _output_options(parser.add_argument_group("output"))
    _gate_options(parser.add_argument_group("gate"))
    _place_options(parser.add_argument_group("where findings are"))
    reading_options(parser.add_argument_group("reading"))


def _output_options(group: Any) -> None:
    format_option(
        group,
        FORMATS,
        "text for people, json for programs; the others list findings, as of memlint lint (default: %(default)s)",
    )
    file_option(group)
    top_option(group, "show the N worst duplicates in text (default: %(default)s)")
    flag(group, "--all", help="show every duplicate in text")
    option(
        group,
        "--min-size",
        metavar="SIZE",
        type=size,
        default="0",
        help="leave out duplicates of fewer bytes than this; totals still count them",
    )
    color_option(group)
    progress_option(group)


def _gate_options(group: Any) -> None:
    limit_options(group, "page cache")
    option(
        group,
        "--basis",
        choices=("mappable", "startup", "profile"),
        default="mappable",
        help="which totals the gate judges; profile needs --profile (default: %(default)s)",
    )


def _place_options(group: Any) -> None:
    dockerfile_options(
        group,
        "the Dockerfile that an image was built from: findings are at its lines then; may be repeated",
        "a compose file that says it of the images that it builds; may be repeated",
    )
    config_options(group)


def _compare(arguments: argparse.Namespace) -> int:
    from memlint.cli.compare import compare

    return compare(arguments)
