"""`memlint compare`."""

from __future__ import annotations

import argparse
import sys

import msgspec

from memlint import api
from memlint.cli.output import write_output
from memlint.cli.progress import progress_bar
from memlint.cli.reading import read_options, switch_often
from memlint.errors import UsageError
from memlint.model.report import Report, Totals

_BASES = {
    "mappable": "mappable, potential",
    "startup": "startup, potential",
    "profile": "expected by profile",
}


def compare(arguments: argparse.Namespace) -> int:
    """Compare the images, print the report, and judge the gate."""
    switch_often()
    check_basis(arguments)
    with progress_bar(wanted=not arguments.no_progress) as progress:
        report = api.compare(
            arguments.images,
            replicas=dict(arguments.replicas or ()),
            profile=arguments.profile or (),
            **read_options(arguments, progress),
        )
    write_output(_formatted(report, arguments), arguments.output_file)
    return _judge(report, arguments)


def check_basis(arguments: argparse.Namespace) -> None:
    """UsageError for the basis of a profile where none is given."""
    if arguments.basis == "profile" and not arguments.profile:
        raise UsageError(
            "--basis profile needs a profile", "name one with --profile: memlint measure --record writes it"
        )


def check_known(report: Report) -> None:
    """UsageError where the totals by profile lack an image: a limit that they keep would prove nothing."""
    if report.profile is not None and report.profile.unknown:
        raise UsageError(
            f"the profile has not seen run what {', '.join(report.profile.unknown)} runs",
            "record containers of it, too, or judge by another --basis",
        )


def _formatted(report: Report, arguments: argparse.Namespace) -> str:
    if arguments.format != "text" or arguments.dockerfile or arguments.compose:
        from memlint.cli.judging import in_format, judged

        it = judged(report, arguments)
        if arguments.format not in ("text", "json"):
            return in_format(arguments.format, it, arguments)
        report = it.report
    shown = [duplicate for duplicate in report.duplicates if duplicate.duplicate_bytes >= arguments.min_size]
    report = msgspec.structs.replace(report, duplicates=tuple(shown))
    if arguments.format == "json":
        from memlint.report.json import to_json

        return to_json(report)
    from memlint.report.terminal import terminal_for
    from memlint.report.text import to_text

    top = len(shown) if arguments.all else arguments.top
    return to_text(report, top, terminal_for(arguments.output_file, no_color=arguments.no_color))


def _judge(report: Report, arguments: argparse.Namespace) -> int:
    """1 when a limit is missed, with a line that says so; 0 otherwise."""
    missed = []
    totals: Totals = getattr(report.totals, arguments.basis)
    gated = arguments.min_efficiency is not None or arguments.max_duplicate is not None
    if gated and arguments.basis == "profile":
        check_known(report)
    if arguments.min_efficiency is not None and totals.efficiency < arguments.min_efficiency:
        missed.append(
            f"sharing efficiency {totals.efficiency:.3f} is below --min-efficiency {arguments.min_efficiency:g}"
        )
    if arguments.max_duplicate is not None and totals.duplicate_bytes > arguments.max_duplicate:
        missed.append(f"{totals.duplicate_bytes} duplicate bytes exceed --max-duplicate {arguments.max_duplicate}")
    sys.stdout.flush()
    for line in missed:
        sys.stderr.write(f"memlint: {line} ({_BASES[arguments.basis]})\n")
    return 1 if missed else 0
