"""`memlint measure`."""

from __future__ import annotations

import argparse
import gc
import sys
import time

from memlint.cli.output import say, write_output
from memlint.errors import UsageError
from memlint.kernel.measuring import Question, observe
from memlint.model.measure import Measurement, is_whole

_HELD, _MISSED, _UNJUDGED = 0, 1, 2


def measure(arguments: argparse.Namespace) -> int:
    """Look, print what was seen, and judge the gate."""
    gc.disable()  # a look keeps what it makes to its end: to search that for garbage again and again finds none
    if arguments.record is None:
        seen = observe(question(arguments))
    else:
        from memlint.cli.recording import check_record, record

        check_record(arguments)
        seen = observe(question(arguments))
        record(seen, arguments.record)
    write_output(_formatted(seen.measurement, arguments), arguments.output_file)
    return judge(seen.measurement, arguments.min_efficiency, arguments.max_duplicate)


def question(arguments: argparse.Namespace) -> Question:
    """What the call asks."""
    return Question(
        containers=arguments.container or (),
        cgroups=arguments.cgroup or (),
        pids=_pids(arguments.pid or ()),
        everything=arguments.all,
        cached=arguments.cached,
        sample=arguments.sample,
        max_seconds=arguments.max_seconds,
        max_cpu_seconds=arguments.max_cpu,
        max_mapping=arguments.max_mapping,
    )


def _pids(texts: tuple[str, ...]) -> tuple[int, ...]:
    for text in texts:
        if not text.isascii() or not text.isdigit() or not int(text):
            raise UsageError(f"{text!r} is no PID", "give a number, as ps prints it")
    return tuple(map(int, texts))


def _formatted(measurement: Measurement, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        from memlint.report.json import to_json

        return to_json(measurement)
    if arguments.format == "prometheus":
        from memlint.report.measure.prometheus import to_prometheus

        return to_prometheus(measurement, time.time())
    if arguments.format == "markdown":
        from memlint.report.measure.markdown import to_markdown

        return to_markdown(measurement, top=arguments.top, by=arguments.by, sort=arguments.sort)
    from memlint.report.measure.text import to_text
    from memlint.report.terminal import terminal_for

    terminal = terminal_for(arguments.output_file, no_color=arguments.no_color)
    return to_text(measurement, terminal, top=arguments.top, by=arguments.by, sort=arguments.sort)


def judge(measurement: Measurement, efficiency: float | None, duplicate: int | None) -> int:
    """The gate: 1 when a limit is certainly missed, 2 when what was not seen could decide, else 0; a line says why.

    What was not seen can only add duplicates, so that too many of them are too many already.
    """
    if efficiency is None and duplicate is None:
        return _HELD
    sys.stdout.flush()
    totals, whole = measurement.totals, is_whole(measurement)
    missed = []
    if totals is not None and duplicate is not None and totals.duplicate_bytes > duplicate:
        missed.append(f"{totals.duplicate_bytes} duplicate bytes exceed --max-duplicate {duplicate}")
    if totals is not None and whole and efficiency is not None and totals.efficiency < efficiency:
        missed.append(f"sharing efficiency {totals.efficiency:.3f} is below --min-efficiency {efficiency:g}")
    for line in missed:
        say(f"memlint: {line} (measured)")
    if not missed and not whole:
        say(
            "memlint: the gate cannot be judged: not all file pages could be seen",
            "see what is listed as not seen; as root, and without --sample, most of it can be",
        )
        return _UNJUDGED
    return _MISSED if missed else _HELD
