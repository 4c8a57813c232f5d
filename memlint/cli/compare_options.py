"""The options of `memlint compare`."""

from __future__ import annotations

import argparse

from memlint import TYPE_CHECKING
from memlint.cli.lint_options import FORMATS, config_options
from memlint.cli.options import cache_dir, flag, option, size, whole_number
from memlint.model.vocabulary import ELF_KINDS, KINDS, STORAGE

if TYPE_CHECKING:
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


def fleet_options(group: Any) -> None:
    storage_option(group)
    option(
        group,
        "--replicas",
        metavar="NAME=N",
        type=_replicas,
        action="append",
        help="containers of an image on the node (default 1); may be repeated",
    )
    platform_option(group)
    kinds_option(group)


def storage_option(group: Any) -> None:
    option(
        group,
        "--storage",
        metavar="MODEL",
        choices=tuple(STORAGE),
        help="what the node's store shares: %(choices)s (default: what the daemon reports, else overlay2)",
    )


def platform_option(group: Any) -> None:
    option(
        group,
        "--platform",
        metavar="OS/ARCH",
        help="which of a multi-platform image's images to take (default: this machine's)",
    )


def kinds_option(group: Any) -> None:
    option(
        group,
        "--kinds",
        metavar="KIND,…",
        type=_kinds,
        default=",".join(ELF_KINDS),
        help=f"kinds of files that count, or all: {', '.join(KINDS)} (default: %(default)s)",
    )


def profile_option(group: Any) -> None:
    option(
        group,
        "--profile",
        metavar="FILE",
        action="append",
        help="what memlint measure --record wrote: price by the pages that running containers kept; may be repeated",
    )


def _output_options(group: Any) -> None:
    option(
        group,
        "-f",
        "--format",
        choices=FORMATS,
        default="text",
        help="text for people, json for programs; the others list findings, as of memlint lint (default: %(default)s)",
    )
    option(group, "-o", "--output-file", metavar="FILE", help="write there instead of to standard output")
    option(
        group,
        "--top",
        metavar="N",
        type=whole_number,
        default="10",
        help="show the N worst duplicates in text (default: %(default)s)",
    )
    flag(group, "--all", help="show every duplicate in text")
    option(
        group,
        "--min-size",
        metavar="SIZE",
        type=size,
        default="0",
        help="leave out duplicates of fewer bytes than this; totals still count them",
    )
    flag(group, "--no-color", help="no colours (NO_COLOR and FORCE_COLOR are obeyed, too)")
    flag(
        group,
        "--no-progress",
        help="no progress bar; there is none anyway where standard error is no terminal",
    )


def _place_options(group: Any) -> None:
    option(
        group,
        "--dockerfile",
        metavar="IMAGE=PATH",
        type=_dockerfile,
        action="append",
        help="the Dockerfile that an image was built from: findings are at its lines then; may be repeated",
    )
    option(
        group,
        "--compose",
        metavar="FILE",
        action="append",
        help="a compose file that says it of the images that it builds; may be repeated",
    )
    config_options(group)


def _gate_options(group: Any) -> None:
    option(
        group,
        "--min-efficiency",
        metavar="RATIO",
        type=ratio,
        help="exit 1 when distinct / page cache is below this, for example 0.9",
    )
    option(
        group,
        "--max-duplicate",
        metavar="SIZE",
        type=size,
        help="exit 1 when the duplicate bytes exceed this, for example 50MB",
    )
    option(
        group,
        "--basis",
        choices=("mappable", "startup", "profile"),
        default="mappable",
        help="which totals the gate judges; profile needs --profile (default: %(default)s)",
    )


def reading_options(group: Any) -> None:
    cache_dir(group)
    flag(group, "--no-cache", help="neither read nor write the cache of layers")
    flag(group, "--no-verify", help="do not compare digests and diff IDs; nothing is cached then")
    option(group, "--jobs", metavar="N", type=whole_number, help="layers read at a time (default: one per core)")
    option(
        group,
        "--max-layer-size",
        metavar="SIZE",
        type=size,
        help="refuse layers that hold more, uncompressed (default 64GiB)",
    )
    option(
        group,
        "--max-ratio",
        metavar="N",
        type=whole_number,
        help="refuse layers compressed more than N:1, as bombs are (default 250)",
    )
    option(
        group,
        "--max-entries",
        metavar="N",
        type=whole_number,
        help="refuse layers of more entries (default 4000000)",
    )
    flag(group, "--absolute-names", help="take a layer's absolute names from its root, as Docker does; ko writes them")
    option(
        group,
        "--max-window",
        metavar="SIZE",
        type=size,
        help="refuse zstd layers that need more memory (default 128MiB)",
    )


def _dockerfile(text: str) -> tuple[str, str]:
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form IMAGE=PATH")
    return name, path


def ratio(text: str) -> float:
    try:
        ratio = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no ratio between 0 and 1")
    return ratio


def _replicas(text: str) -> tuple[str, int]:
    name, equals, count = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=N")
    return name, whole_number(count)


def _kinds(text: str) -> tuple[str, ...]:
    kinds = KINDS if text == "all" else tuple(part.strip() for part in text.split(","))
    for kind in kinds:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f"{kind!r} is no kind of file: choose of {', '.join(KINDS)}, or all")
    return kinds


def _compare(arguments: argparse.Namespace) -> int:
    from memlint.cli.compare import compare

    return compare(arguments)
