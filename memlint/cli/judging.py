"""What the rules say about compared images, and the formats of `memlint lint` for it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

import msgspec

from memlint.cli.output import say
from memlint.config import Config, load_config
from memlint.errors import DockerfileError
from memlint.lint.dockerfiles import Dockerfiles
from memlint.lint.gathering import Gathered, Root, find_root, gather
from memlint.lint.images import judge
from memlint.lint.linting import count_by_rule
from memlint.lint.origins import dockerfiles_of, origins_of, services_of
from memlint.lint.places import Places
from memlint.lint.repository import Repository
from memlint.lint.ruleset import Rule, load_rules
from memlint.lint.selection import active_rules
from memlint.lint.suppressions import suppress
from memlint.model.finding import Finding
from memlint.model.lint import SCHEMA, LintReport
from memlint.model.report import Report
from memlint.model.units import plural
from memlint.report.findings import render
from memlint.report.findings.page import Page
from memlint.report.terminal import terminal_for


class Judged(msgspec.Struct, frozen=True, eq=False):
    """A report with its findings, and what the formats need to show them."""

    report: Report
    repository: Repository
    rules: tuple[Rule, ...]


def judged(report: Report, arguments: argparse.Namespace) -> Judged:
    """The report with what the rules say about it, at the lines of the Dockerfiles that the call names."""
    config = load_config({}, file=arguments.config, isolated=arguments.isolated)
    services = services_of(arguments.compose or (), os.environ)
    wanted = dockerfiles_of(report, dict(arguments.dockerfile or ()), services)
    gathered = _read(sorted({path for path, _ in wanted.values()}), config)
    repository = gathered.repository
    places = Places(report, origins_of(wanted, gathered))
    rules = load_rules(more=config.rules)
    active = {each.rule.id: each for each in active_rules(rules, config, repository.root, images=True)}
    found = judge(report, places, active.values(), repository)
    kept, _ = suppress(repository, found, rules, active, gathered.targets)
    return Judged(
        msgspec.structs.replace(report, findings=tuple(kept)), repository, tuple(each.rule for each in active.values())
    )


def in_format(name: str, it: Judged, arguments: argparse.Namespace) -> str:
    """The findings in a format of `memlint lint`."""
    findings = it.report.findings
    paths = {finding.location.path for finding in findings if finding.location.span is None}
    if paths:
        count = plural(len(paths), "image")
        say(f"memlint: note: the Dockerfile of {count} is not known: name it with --dockerfile or --compose")
    report = LintReport(SCHEMA, _files(it, findings), findings, (), count_by_rule(findings))
    terminal = terminal_for(arguments.output_file, no_color=arguments.no_color)
    return "".join(render(name, report, Page(it.repository, it.rules, terminal)))


def _read(paths: Sequence[str], config: Config) -> Gathered:
    """The Dockerfiles. DockerfileError for the first that cannot be read."""
    if not paths:
        return Gathered(Repository(Dockerfiles(os.getcwd())), (), (), ())
    for path in paths:
        if os.path.isdir(path):
            raise DockerfileError(f"{path}: is a directory, not a Dockerfile", "name the file")
    root = find_root(paths, config)
    gathered = gather(paths, config, Root(root.directory, False), whole=False)
    for error in gathered.errors:
        where = error.path if error.line is None else f"{error.path}:{error.line}"
        raise DockerfileError(f"{where}: {error.message}", error.hint, error.line)
    return gathered


def _files(it: Judged, findings: Sequence[Finding]) -> tuple[str, ...]:
    places = {finding.location.path for finding in findings}
    return tuple(sorted({*it.repository.paths, *places}))
