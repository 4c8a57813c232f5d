"""`memlint lint`."""

from __future__ import annotations

import errno
import os
import sys

import msgspec

from memlint.cli.output import STANDARD_OUTPUT, say, write_output, write_pieces
from memlint.config import load_config
from memlint.errors import UsageError
from memlint.lint.gathering import STANDARD_INPUT, Standard, find_root, gather
from memlint.lint.linting import Linter, count_by_rule, to_report
from memlint.lint.ruleset import load_rules
from memlint.lint.selection import active_rules
from memlint.model.finding import SEVERITIES
from memlint.model.units import plural
from memlint.report.findings import render
from memlint.report.findings.page import Page, shown_path
from memlint.report.terminal import terminal_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from typing import Any

    from memlint.config import Config
    from memlint.lint.gathering import Gathered
    from memlint.model.finding import Finding
    from memlint.model.lint import FileError, LintReport

_SETTINGS = ("select", "extend_select", "ignore", "format", "failure_threshold", "baseline")
"""The options that a configuration file may set, too."""


def lint(arguments: argparse.Namespace) -> int:
    """Lint the Dockerfiles, repair them if asked to, print the report, and judge."""
    _refuse_contradictions(arguments)
    paths = arguments.paths or ["."]
    config = load_config(_given(arguments), config_start(paths), arguments.config, isolated=arguments.isolated)
    if arguments.statistics and config.format != "text":
        raise UsageError(f"--statistics is a table in text, not in {config.format}", "json always has `statistics`")
    standard = _standard_input(arguments)
    root = find_root(paths, config, standard)
    rules = load_rules(more=config.rules)
    linter = Linter(rules, active_rules(rules, config, root.directory))
    gathered = gather(paths, config, root, standard, whole=linter.looks_at_repository)
    for note in gathered.notes:
        say(f"memlint: note: {note}")
    if not gathered.targets and not gathered.errors:
        say("memlint: note: there is no Dockerfile to lint")
    if arguments.diff:
        from memlint.cli.fixing import show_difference

        return show_difference(gathered, linter, arguments)
    fixed: Sequence[Finding] = ()
    if arguments.fix:
        from memlint.cli.fixing import fix

        gathered, fixed = fix(gathered, linter, arguments)
    return _report(gathered, linter, config, arguments, fixed)


def config_start(paths: Sequence[str]) -> str:
    """Where to look for a configuration first: here, unless the first path lies elsewhere."""
    here, first = os.getcwd(), os.path.abspath(paths[0])
    if paths[0] == STANDARD_INPUT or os.path.commonpath((here, first)) == here:
        return here
    return first if os.path.isdir(first) else os.path.dirname(first)


def exit_code(findings: Sequence[Finding], errors: Sequence[FileError], config: Config, *, exit_zero: bool) -> int:
    """2 when a file could not be linted, 1 when a finding is as severe as the threshold, else 0."""
    if errors:
        return 2
    if exit_zero or config.failure_threshold == "none":
        return 0
    limit = SEVERITIES.index(config.failure_threshold)
    return int(any(SEVERITIES.index(finding.severity) <= limit for finding in findings))


def with_faults(gathered: Gathered, linter: Linter) -> Gathered:
    """With the checks that broke among what could not be linted."""
    return msgspec.structs.replace(gathered, errors=(*gathered.errors, *linter.faults.values()))


def say_errors(errors: Sequence[FileError], root: str) -> None:
    """A line for each file that could not be linted, and one that says what to do."""
    for error in errors:
        path = shown_path(root, error.path)
        where = path if error.line is None else f"{path}:{error.line}"
        say(f"memlint: error: {where}: {error.message}", error.hint)


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    given = {key: getattr(arguments, key) for key in _SETTINGS}
    build_args = {**(arguments.platform or {}), **dict(arguments.build_arg or ())}
    given["build_args"] = build_args or None
    return given


def _refuse_contradictions(arguments: argparse.Namespace) -> None:
    if arguments.config is not None and arguments.isolated:
        raise UsageError("--config and --isolated contradict each other", "give one of them")
    if arguments.diff and arguments.fix:
        raise UsageError("--fix writes what --diff only shows", "give one of them")
    if arguments.write_baseline == STANDARD_OUTPUT and arguments.fix and STANDARD_INPUT in arguments.paths:
        raise UsageError("the baseline and the repaired file cannot both go to standard output", "name a file for one")
    if arguments.stdin_filename is not None and STANDARD_INPUT not in arguments.paths:
        raise UsageError("--stdin-filename names what standard input is, but it is not linted", "give - as a PATH")


def _standard_input(arguments: argparse.Namespace) -> Standard | None:
    if STANDARD_INPUT not in arguments.paths:
        return None
    try:
        if sys.stdin is None:  # it was closed before the start
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return Standard(sys.stdin.buffer.read(), arguments.stdin_filename)
    except OSError as error:
        problem = f"standard input cannot be read ({error.strerror})"
        raise UsageError(problem, "give the Dockerfile by it, or name a file instead of -") from error


def _report(
    gathered: Gathered, linter: Linter, config: Config, arguments: argparse.Namespace, fixed: Sequence[Finding]
) -> int:
    findings, suppressed = linter.findings(gathered.repository, gathered.repository.given)
    gathered = with_faults(gathered, linter)
    say_errors(gathered.errors, gathered.repository.root)
    if arguments.write_baseline is not None:
        from memlint.lint.baseline import to_baseline

        to_output = arguments.write_baseline == STANDARD_OUTPUT
        write_output(to_baseline(findings), None if to_output else arguments.write_baseline)
        where = "the baseline" if to_output else arguments.write_baseline
        say(f"memlint: note: {where} lists {plural(len(findings), 'finding')} as known")
        return exit_code((), gathered.errors, config, exit_zero=True)
    report = to_report(gathered, findings, suppressed=suppressed)
    if config.baseline is not None:
        report = _without_known(report, config.baseline)
    report = msgspec.structs.replace(report, fixed=count_by_rule(fixed))
    aside = arguments.fix and gathered.standard is not None
    write_pieces(_formatted(report, gathered, linter, config, arguments), arguments.output_file, aside=aside)
    return exit_code(report.findings, report.errors, config, exit_zero=arguments.exit_zero)


def _without_known(report: LintReport, baseline: str) -> LintReport:
    from memlint.lint.baseline import read_baseline, without_known

    new, stale = without_known(report.findings, read_baseline(baseline))
    known = len(report.findings) - len(new)
    return msgspec.structs.replace(report, findings=tuple(new), statistics=count_by_rule(new), known=known, stale=stale)


def _formatted(
    report: LintReport, gathered: Gathered, linter: Linter, config: Config, arguments: argparse.Namespace
) -> Iterable[str]:
    terminal = terminal_for(arguments.output_file, no_color=arguments.no_color)
    rules = [each.rule for each in linter.active.values()]
    page = Page(gathered.repository, rules, terminal, unsafe=arguments.unsafe_fixes)
    if arguments.statistics:
        from memlint.report.findings.text import to_statistics

        return (to_statistics(report, page),)
    return render(config.format, report, page)
