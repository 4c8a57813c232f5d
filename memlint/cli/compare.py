"""`memlint compare`."""

from __future__ import annotations

import argparse
import sys

import msgspec

from memlint import api
from memlint.cli.output import write_output
from memlint.cli.progress import progress_bar
from memlint.errors import ProfileError, UsageError
from memlint.layers.limits import Limits
from memlint.model.report import Report, Totals

SWITCH = 1e-4
"""Seconds between switches of threads."""
_BASES = {
    "mappable": "mappable, potential",
    "startup": "startup, potential",
    "profile": "expected by profile",
}
_LIMITS = {
    "max_layer_size": "max_layer_bytes",
    "max_ratio": "max_ratio",
    "max_entries": "max_entries",
    "max_window": "max_window",
}


def compare(arguments: argparse.Namespace) -> int:
    """Compare the images, print the report, and judge the gate."""
    # threads that decompress and digest ask for the GIL once per block: the 5 ms that Python lets them wait is a block
    sys.setswitchinterval(SWITCH)
    check_basis(arguments)
    with progress_bar(wanted=not arguments.no_progress) as progress:
        report = api.compare(
            arguments.images,
            storage=arguments.storage,
            replicas=dict(arguments.replicas or ()),
            platform=arguments.platform,
            kinds=arguments.kinds,
            cache_dir=None if arguments.no_cache else arguments.cache_dir,
            limits=reading_limits(arguments),
            verify=not arguments.no_verify,
            jobs=arguments.jobs,
            progress=progress,
            profile=arguments.profile or (),
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
    """ProfileError where the totals by profile lack an image: a limit that they keep would prove nothing."""
    if report.profile is not None and report.profile.unknown:
        raise ProfileError(
            f"the profile has not seen run what {', '.join(report.profile.unknown)} runs",
            "record containers of it, too, or judge by another --basis",
        )


def reading_limits(arguments: argparse.Namespace) -> Limits:
    """What the call says of the limits of layers."""
    given = {field: value for option, field in _LIMITS.items() if (value := getattr(arguments, option)) is not None}
    return msgspec.structs.replace(Limits(), absolute_names=arguments.absolute_names, **given)


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
