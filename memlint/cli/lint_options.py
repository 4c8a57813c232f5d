"""The options of `memlint lint`."""

from __future__ import annotations

import argparse

from memlint import TYPE_CHECKING
from memlint.cli.options import flag, listed, option
from memlint.cli.output_options import color_option, file_option

if TYPE_CHECKING:
    from typing import Any

FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "checkstyle", "markdown")
THRESHOLDS = ("error", "warning", "info", "style", "none")

_DESCRIPTION = """\
Lint Dockerfiles: find what will make the images built from them hold executables and libraries in RAM more than once.

Rules look at one file, or at all Dockerfiles of the repository. Without a PATH, the Dockerfiles below the current
directory are linted, those of submodules too; with some, findings are reported in these alone, and the others are read
to compare with."""

_EPILOG = """\
examples:
  memlint lint                                            # below here
  memlint lint services/web/Dockerfile -f sarif -o memlint.sarif
  memlint lint --fix                                      # repair what can be repaired
  memlint lint --write-baseline memlint-baseline.json     # accept what is there; then: --baseline that file
  memlint lint - --stdin-filename web/Dockerfile < web/Dockerfile

comments:
  # memlint ignore=ML101,ML102 # reason      on a line of its own, above what it is about
  # memlint global ignore=ML101              for the file; both name rules one by one, by id or name

exit codes: 0 nothing at or above the threshold, 1 findings, 2 something could not be read, or the call is wrong
Settings come from memlint.toml or [tool.memlint] in pyproject.toml, found upwards. Every option can be set by the
environment, too: --failure-threshold as MEMLINT_FAILURE_THRESHOLD, and so on."""


def add_options(parser: Any) -> None:
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(command=_lint)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="Dockerfiles, directories, or - for standard input")
    _rule_options(parser.add_argument_group("rules"))
    _fix_options(parser.add_argument_group("fixes"))
    _output_options(parser.add_argument_group("output"))
    _gate_options(parser.add_argument_group("what is known, and what fails"))
    _input_options(parser.add_argument_group("input"))


def config_options(group: Any) -> None:
    """Where settings come from: what all commands about rules share."""
    option(group, "-c", "--config", metavar="FILE", help="take the settings from this file instead of looking for one")
    flag(group, "--isolated", help="ignore all configuration files")


def _rule_options(group: Any) -> None:
    listed(group, "--select", metavar="RULE,…", help="only these: ids, names, beginnings of ids (ML1), or ALL")
    listed(
        group, "--extend-select", metavar="RULE,…", help="these as well, also where a configuration file ignores them"
    )
    listed(group, "--ignore", metavar="RULE,…", help="not these")
    config_options(group)


def _fix_options(group: Any) -> None:
    flag(group, "--fix", help="repair what can be repaired without changing a file of the image")
    flag(group, "--unsafe-fixes", help="with --fix or --diff, also apply fixes that change the image")
    flag(group, "--diff", help="show what --fix would change, and write nothing; exit 1 when there is something")


def _output_options(group: Any) -> None:
    option(group, "-f", "--format", metavar="FORMAT", choices=FORMATS, help="%(choices)s (default: text)")
    file_option(group)
    flag(group, "--statistics", help="count the findings by rule instead of showing them, in text")
    color_option(group)


def _gate_options(group: Any) -> None:
    option(
        group,
        "-t",
        "--failure-threshold",
        metavar="SEVERITY",
        choices=THRESHOLDS,
        help="the mildest severity that makes the exit code 1: %(choices)s (default: info)",
    )
    flag(group, "--exit-zero", help="exit 0 whatever is found; 2 stays 2")
    option(group, "--baseline", metavar="FILE", help="do not report the findings that this file lists")
    option(
        group,
        "--write-baseline",
        metavar="FILE",
        help="write what is found into such a file, and report nothing; - is standard output",
    )


def _input_options(group: Any) -> None:
    option(
        group,
        "--build-arg",
        metavar="NAME=VALUE",
        type=_build_arg,
        action="append",
        help="the value of an ARG, as for docker build; NAME alone takes it from the environment",
    )
    option(
        group,
        "--platform",
        metavar="OS/ARCH",
        type=_platform,
        help="what TARGETPLATFORM, TARGETOS and TARGETARCH stand for; unknown without it, as in a file for several",
    )
    option(group, "--stdin-filename", metavar="PATH", help="the file that standard input stands for")


def _platform(text: str) -> dict[str, str]:
    """The ARGs that BuildKit predefines for a target platform."""
    parts = text.split("/")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise argparse.ArgumentTypeError(f"{text!r} is no platform: write it as linux/amd64 or linux/arm/v7")
    names = ("TARGETOS", "TARGETARCH", "TARGETVARIANT")
    return {"TARGETPLATFORM": text, **dict(zip(names, [*parts, ""], strict=False))}


def _build_arg(text: str) -> tuple[str, str]:
    import os

    name, equals, value = text.partition("=")
    if not name or not (equals or name in os.environ):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE, nor a variable of the environment")
    return name, value if equals else os.environ[name]


def _lint(arguments: argparse.Namespace) -> int:
    _import_msgspec()
    from memlint.cli.lint import lint

    return lint(arguments)


def _import_msgspec() -> None:
    """Without typing_extensions, if that is there: `typing` has what msgspec asks it for, and is there already.

    Where other packages brought it, its import takes a fifth of `python -c "import msgspec"`.
    """
    import sys

    if "typing_extensions" in sys.modules:
        return
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]
