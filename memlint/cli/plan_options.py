"""The options of `memlint plan`."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.cli.image_options import fleet_options, profile_option, reading_options
from memlint.cli.options import flag, option
from memlint.cli.output_options import color_option, file_option, format_option, progress_option
from memlint.cli.values import image_path, size, whole_number

if TYPE_CHECKING:
    import argparse
    from typing import Any

_DESCRIPTION = """\
Say which base images a fleet should share, what goes into each, and what that does to the page cache of a node that
runs all its images; and write it as Dockerfiles that build.

The figures are potential: upper bounds from the files themselves (4 KiB pages of the read-only segments), not
measurements."""

_EPILOG = """\
images: as for memlint compare. Dockerfiles alone are planned by the packages that they name, where no image exists.

examples:
  memlint plan web worker api
  memlint plan web worker --dockerfile web=web/Dockerfile --dockerfile worker=worker/Dockerfile --write plan/
  memlint plan web worker --compose compose.yaml --write plan/ && plan/build.sh && memlint plan --check plan/
  memlint plan web worker api --max-extra 20MB --max-bases 2
  memlint plan services/*/Dockerfile

exit codes: 0 answered, 1 the images of --check do not show what was planned, 2 could not be answered
Every option can be set by the environment, too: --cache-dir as MEMLINT_CACHE_DIR, and so on."""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_plan)
    parser.add_argument("images", nargs="*", metavar="IMAGE")
    fleet_options(parser.add_argument_group("the fleet"))
    plan = parser.add_argument_group("the plan")
    _size_options(plan)
    _ground_options(plan)
    _write_options(parser.add_argument_group("files"))
    _output_options(parser.add_argument_group("output"))
    reading_options(parser.add_argument_group("reading"))


def _size_options(group: Any) -> None:
    """How far bases go."""
    option(
        group,
        "--prefer",
        choices=("strict", "balanced", "union"),
        default="balanced",
        help="the point that is described and written: strict gives no image a package that it did not have, union"
        " shares all that can be shared, balanced is the smallest change that wins most (default: %(default)s)",
    )
    option(
        group,
        "--max-extra",
        metavar="SIZE",
        type=size,
        action="append",
        help="what an image may get that it did not have; may be repeated, a point each (default 5MB, 20MB, 80MB)",
    )
    option(group, "--max-bases", metavar="N", type=whole_number, help="how many bases there may be in all")
    option(
        group,
        "--min-saving",
        metavar="SIZE",
        type=size,
        help="what a base saves at least (default: a hundredth of what the fleet holds twice, 1MB at least)",
    )


def _ground_options(group: Any) -> None:
    """What bases are weighed by."""
    option(
        group,
        "--previous",
        metavar="PLAN",
        help="a former plan, its JSON or the directory it was written to: bases are kept where that costs little, what"
        " has changed since goes up, and what moved is said",
    )
    option(
        group,
        "--nodes",
        metavar="N",
        type=whole_number,
        default="1",
        help="nodes that the containers of --replicas are spread over: a base counts as often as images that share it"
        " meet on a node (default: %(default)s, which runs them all)",
    )
    option(
        group,
        "--basis",
        choices=("mappable", "startup", "profile"),
        help="weigh all files that can be mapped, those that starting maps for certain, or the pages that a profile"
        " expects (default: mappable, or profile where one is given)",
    )
    profile_option(group)


def _write_options(group: Any) -> None:
    option(
        group,
        "--dockerfile",
        metavar="IMAGE=PATH",
        type=image_path,
        action="append",
        help="the Dockerfile that an image is built from: it is rewritten; may be repeated",
    )
    option(
        group,
        "--context",
        metavar="IMAGE=DIR",
        type=image_path,
        action="append",
        help="the build context of an image (default: its Dockerfile's directory); may be repeated",
    )
    option(
        group,
        "--compose",
        metavar="FILE",
        action="append",
        help="a compose file that says both of the images that it builds; may be repeated",
    )
    option(group, "--write", metavar="DIR", help="write Dockerfiles, build.sh and more to a new directory")
    flag(
        group,
        "--force",
        help="write over a former plan: its files go, others stay",
    )
    option(group, "--check", metavar="DIR", help="judge the images that were built to the plan in this directory")


def _output_options(group: Any) -> None:
    format_option(group)
    file_option(group)
    flag(group, "--all", help="show every package, image and suggestion in text")
    color_option(group)
    progress_option(group)


def _plan(arguments: argparse.Namespace) -> int:
    from memlint.cli.plan import plan

    return plan(arguments)
