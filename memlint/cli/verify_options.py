"""The options of `memlint verify`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.host_options import container_option
from memlint.cli.image_options import kinds_option, platform_option, profile_option, reading_options, storage_option
from memlint.cli.options import option
from memlint.cli.output_options import color_option, file_option, format_option, progress_option, top_option
from memlint.cli.values import ratio

if TYPE_CHECKING:
    import argparse
    from typing import Any

_DESCRIPTION = """\
Hold what was predicted of images against what their containers on this host share: duplicate bytes in all, and file
by file whether containers that should share a file's pages do, and no others.

Predicted is what memlint compare predicts for as many containers; measured is what the kernel's page frames say,
which need root."""

_EPILOG = """\
images: as for memlint compare. Containers are found by the ID of their image, as engines keep it, else by its name;
those of another build of it are said to be not seen.

examples:
  sudo memlint verify docker-daemon:api docker-daemon:worker
  sudo memlint verify api worker --profile fleet.profile.json --tolerance 0.05
  sudo memlint verify api worker -f json | jq '.contradictions'

exit codes: 0 as predicted, 1 a file is shared otherwise than predicted, or --tolerance is exceeded, 2 could not be
answered, not all could be seen, or the profile has not seen run what an image runs
Every option can be set by the environment, too: --tolerance as MEMLINT_TOLERANCE, and so on."""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_verify)
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    _prediction_options(parser.add_argument_group("the prediction"))
    _output_options(parser.add_argument_group("output"))
    reading_options(parser.add_argument_group("reading"))


def _prediction_options(group: Any) -> None:
    container_option(group)
    profile_option(group)
    storage_option(group)
    platform_option(group)
    kinds_option(group)
    option(
        group,
        "--tolerance",
        metavar="RATIO",
        type=ratio,
        help="exit 1 when the duplicate bytes predicted differ by more than this part of those measured, for example"
        " 0.05: those by profile where one is given, else at startup",
    )


def _output_options(group: Any) -> None:
    format_option(group)
    file_option(group)
    top_option(group, "show the N worst contradictions in text (default: %(default)s)")
    color_option(group)
    progress_option(group)


def _verify(arguments: argparse.Namespace) -> int:
    from memlint.cli.verify import verify

    return verify(arguments)
