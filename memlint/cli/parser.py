"""The options of all commands. Imports argparse alone: `--help` must start fast."""

from __future__ import annotations

import argparse
import os
import re
import sys

from memlint import TYPE_CHECKING, __version__
from memlint.model.vocabulary import ELF_KINDS, KINDS, STORAGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\Z", re.IGNORECASE)

_DESCRIPTION = """\
memlint finds the executables and shared libraries that container images make a node hold in RAM more than once,
prices them, and says why.

Containers share the pages of a file only when they map the same inode, and on overlay2 an inode belongs to one chain
of layers: the same library installed by two images is two inodes."""

_COMPARE = """\
Compare images: which executables and libraries would lie in RAM more than once on a node that runs them all, how many
bytes, in which layers, made by which instructions, and why they are not shared.

The figures are potential: upper bounds from the files themselves (4 KiB pages of the read-only segments), not
measurements."""

_COMPARE_EPILOG = """\
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
  memlint compare oci:build --min-efficiency 0.9 --max-duplicate 50MB     # a gate for CI

exit codes: 0 answered (and the gate holds), 1 the gate does not hold, 2 could not be answered
Every option can be set by the environment, too: --cache-dir as MEMLINT_CACHE_DIR, and so on."""


class _Parser(argparse.ArgumentParser):
    """Two lines for an error, as everywhere in memlint."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"memlint: error: {message}\n  hint: {self.prog} --help shows what there is\n")
        sys.exit(2)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The parsed call; its `command` is the function to run."""
    parser = _Parser("memlint", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"memlint {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_compare(commands)
    _add_cache(commands)
    return parser.parse_args(arguments)


def size(text: str) -> int:
    """Bytes out of `50MB`, `1.5 GiB` or `4096`; units are decimal without an i."""
    match = _SIZE.match(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 50MB, 1.5GiB or a number of bytes")
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()])


def _add_compare(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        help="find the same bytes in different layers of images, and price them",
        description=_COMPARE,
        epilog=_COMPARE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=_compare)
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    _fleet_options(parser.add_argument_group("the fleet"))
    _output_options(parser.add_argument_group("output"))
    _gate_options(parser.add_argument_group("gate"))
    _reading_options(parser.add_argument_group("reading"))


def _fleet_options(group: Any) -> None:
    _option(
        group,
        "--storage",
        metavar="MODEL",
        choices=tuple(STORAGE),
        help="what the node's store shares: %(choices)s (default: what the daemon reports, else overlay2)",
    )
    _option(
        group,
        "--replicas",
        metavar="NAME=N",
        type=_replicas,
        action="append",
        help="containers of an image on the node (default 1); may be repeated",
    )
    _option(
        group,
        "--platform",
        metavar="OS/ARCH",
        help="which of a multi-platform image's images to take (default: this machine's)",
    )
    _option(
        group,
        "--kinds",
        metavar="KIND,…",
        type=_kinds,
        default=",".join(ELF_KINDS),
        help=f"kinds of files that count, or all: {', '.join(KINDS)} (default: %(default)s)",
    )


def _output_options(group: Any) -> None:
    _option(
        group,
        "-f",
        "--format",
        choices=("text", "json"),
        default="text",
        help="text for people, json for programs (default: %(default)s)",
    )
    _option(group, "-o", "--output-file", metavar="FILE", help="write there instead of to standard output")
    _option(
        group,
        "--top",
        metavar="N",
        type=_count,
        default="10",
        help="show the N worst duplicates in text (default: %(default)s)",
    )
    _flag(group, "--all", help="show every duplicate in text")
    _option(
        group,
        "--min-size",
        metavar="SIZE",
        type=size,
        default="0",
        help="leave out duplicates of fewer bytes than this; totals still count them",
    )
    _flag(group, "--no-color", help="no colours (NO_COLOR and FORCE_COLOR are obeyed, too)")
    _flag(
        group,
        "--no-progress",
        help="no progress bar; there is none anyway where standard error is no terminal",
    )


def _gate_options(group: Any) -> None:
    _option(
        group,
        "--min-efficiency",
        metavar="RATIO",
        type=_ratio,
        help="exit 1 when distinct / page cache is below this, for example 0.9",
    )
    _option(
        group,
        "--max-duplicate",
        metavar="SIZE",
        type=size,
        help="exit 1 when the duplicate bytes exceed this, for example 50MB",
    )
    _option(
        group,
        "--basis",
        choices=("mappable", "startup"),
        default="mappable",
        help="which totals the gate judges (default: %(default)s)",
    )


def _reading_options(group: Any) -> None:
    _cache_dir(group)
    _flag(group, "--no-cache", help="neither read nor write the cache of layers")
    _flag(group, "--no-verify", help="do not compare digests and diff IDs; nothing is cached then")
    _option(group, "--jobs", metavar="N", type=_count, help="layers read at a time (default: one per core)")
    _option(
        group,
        "--max-layer-size",
        metavar="SIZE",
        type=size,
        help="refuse layers that hold more, uncompressed (default 64GiB)",
    )
    _option(
        group,
        "--max-ratio",
        metavar="N",
        type=_count,
        help="refuse layers compressed more than N:1, as bombs are (default 250)",
    )
    _option(
        group,
        "--max-entries",
        metavar="N",
        type=_count,
        help="refuse layers of more entries (default 4000000)",
    )
    _flag(group, "--absolute-names", help="take a layer's absolute names from its root, as Docker does; ko writes them")
    _option(
        group,
        "--max-window",
        metavar="SIZE",
        type=size,
        help="refuse zstd layers that need more memory (default 128MiB)",
    )


def _add_cache(commands: Any) -> None:
    parser = commands.add_parser(
        "cache",
        help="look at the cache of layers, or make it smaller",
        description="The cache keeps what memlint read of a layer, by diff ID: no layer is read twice.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, text in (
        ("info", "where it is, and how large"),
        ("clear", "remove all entries"),
        ("prune", "remove the least recently used entries"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.set_defaults(command=_cache, action=name)
        _cache_dir(action)
        if name == "prune":
            _option(
                action,
                "--max-size",
                metavar="SIZE",
                type=size,
                default="1GiB",
                help="how much may stay (default: %(default)s)",
            )


def _cache_dir(group: Any) -> None:
    _option(
        group,
        "--cache-dir",
        metavar="DIR",
        default=_default_cache_dir(),
        help="where layer indexes are kept (default: $XDG_CACHE_HOME/memlint)",
    )


def _default_cache_dir() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "memlint")


def _variable(flags: Sequence[str]) -> str:
    return "MEMLINT_" + flags[-1].removeprefix("--").replace("-", "_").upper()


def _option(group: Any, *flags: str, **settings: Any) -> None:
    """An option whose default the environment may give, in the same words as the command line."""
    given = os.environ.get(_variable(flags))
    if given is not None:
        kind, choices = settings.get("type", str), settings.get("choices")
        try:
            parts = [kind(part) for part in given.split(",")] if settings.get("action") == "append" else kind(given)
        except (argparse.ArgumentTypeError, ValueError) as error:
            _Parser("memlint").error(f"{_variable(flags)}: {error}")
        if choices and parts not in choices:
            _Parser("memlint").error(f"{_variable(flags)}: {given!r} is none of {', '.join(choices)}")
        settings["default"] = parts
    group.add_argument(*flags, **settings)


def _flag(group: Any, *flags: str, help: str) -> None:  # noqa: A002  # argparse's own word
    given = os.environ.get(_variable(flags), "").lower()
    if given not in (*_YES, *_NO):
        _Parser("memlint").error(f"{_variable(flags)}: {given!r} is neither {_YES[0]} nor {_NO[1]}")
    group.add_argument(*flags, action="store_true", default=given in _YES, help=help)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _ratio(text: str) -> float:
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
    return name, _count(count)


def _kinds(text: str) -> tuple[str, ...]:
    kinds = KINDS if text == "all" else tuple(part.strip() for part in text.split(","))
    for kind in kinds:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f"{kind!r} is no kind of file: choose of {', '.join(KINDS)}, or all")
    return kinds


def _compare(arguments: argparse.Namespace) -> int:
    from memlint.cli.compare import compare

    return compare(arguments)


def _cache(arguments: argparse.Namespace) -> int:
    from memlint.cli.cache import cache

    return cache(arguments)
