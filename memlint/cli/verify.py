"""`memlint verify`."""

from __future__ import annotations

import argparse
import sys

from memlint import api
from memlint.cli.output import say, write_output
from memlint.cli.progress import progress_bar
from memlint.cli.reading import read_options, switch_often
from memlint.model.units import plural
from memlint.model.verify import Prediction, Verification

_RIGHT, _WRONG, _UNSEEN = 0, 1, 2


def verify(arguments: argparse.Namespace) -> int:
    """Look, print predicted against measured, and judge."""
    switch_often()
    with progress_bar(wanted=not arguments.no_progress) as progress:
        found = api.verify(
            arguments.images,
            profile=arguments.profile or (),
            containers=arguments.container or (),
            **read_options(arguments, progress),
        )
    write_output(_formatted(found, arguments), arguments.output_file)
    sys.stdout.flush()
    return judge(found, arguments.tolerance)


def judge(found: Verification, tolerance: float | None) -> int:
    """1 where the model was wrong or the tolerance is exceeded, 2 where what was not seen could decide; says so."""
    unknown = found.profile.unknown if found.profile is not None else ()
    count = len({each.content for each in found.contradictions})
    wrong = [f"{plural(count, 'file')} {'is' if count == 1 else 'are'} not shared as predicted"] if count else []
    if tolerance is not None and not unknown and (missed := _missed(found, tolerance)):
        wrong.append(missed)
    for line in wrong:
        say(f"memlint: {line} (measured)")
    if wrong:
        return _WRONG
    if unknown:
        say(
            f"memlint: the profile has not seen run what {', '.join(unknown)} runs",
            "record containers of it, too, or judge without --profile",
        )
    if lacking := any(each.totals for each in found.unseen):
        say("memlint: what was seen is as predicted, but not all could be seen", "see what is listed as not seen")
    return _UNSEEN if unknown or lacking else _RIGHT


def _missed(found: Verification, tolerance: float) -> str | None:
    prediction = _judged(found)
    measured = found.measured.duplicate_bytes
    predicted = prediction.totals.duplicate_bytes
    if abs(predicted - measured) <= tolerance * measured:
        return None
    return f"{predicted} duplicate bytes were predicted ({prediction.basis}), {measured} are: --tolerance {tolerance:g}"


def _judged(found: Verification) -> Prediction:
    """The closest basis that there is."""
    bases = {each.basis: each for each in found.predicted}
    return bases.get("profile", bases["startup"])


def _formatted(found: Verification, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from memlint.report.json import to_json

        return to_json(found)
    from memlint.report.terminal import terminal_for
    from memlint.report.verify import to_text

    return to_text(found, arguments.top, terminal_for(arguments.output_file, no_color=arguments.no_color))
