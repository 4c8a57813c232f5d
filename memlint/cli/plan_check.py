"""`memlint plan --check`: what was predicted against what the images built to the plan now show."""

from __future__ import annotations

import argparse

from memlint import api
from memlint.cli.output import say, write_output
from memlint.cli.plan_writing import new_references, read_plan
from memlint.cli.progress import progress_bar
from memlint.cli.reading import read_options
from memlint.planner.check import check as checked
from memlint.planner.draft import Options
from memlint.planner.planning import held_now
from memlint.report.json import to_json
from memlint.report.plan_check import missed, to_text


def check(arguments: argparse.Namespace) -> int:
    """Print the check; 1 when the plan was not met."""
    plan, built = read_plan(arguments.check)
    references = new_references(built, arguments.images)
    replicas = {
        new: built.replicas[old] for old, new in zip(built.images, references, strict=True) if old in built.replicas
    }
    with progress_bar(wanted=not arguments.no_progress) as progress:
        how: api.ReadOptions = {
            **read_options(arguments, progress),
            "storage": built.storage,
            "kinds": built.kinds,
        }
        fleet = api.load(references, replicas, **how)
    recorded = api.read_known(arguments.profile or ())
    options = Options(basis=api.basis_of(built.basis, recorded, fleet), nodes=built.nodes)
    now = held_now(fleet.images, fleet.replicas, fleet.indexes, fleet.storage, built.kinds, options)
    result = checked(plan, built, fleet.images, fleet.indexes, now)
    write_output(to_json(result) if arguments.format == "json" else to_text(result), arguments.output_file)
    if not result.met:
        say(*missed(result))
    return 0 if result.met else 1
