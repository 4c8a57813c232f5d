"""`memlint plan`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import msgspec

from memlint import api
from memlint.cli.compare import check_basis
from memlint.cli.output import write_output
from memlint.cli.plan_bases import Bases
from memlint.cli.plan_directory import check_directory
from memlint.cli.plan_lists import listed
from memlint.cli.plan_services import Given, find_services
from memlint.cli.plan_writing import read_former, write_plan
from memlint.cli.progress import progress_bar
from memlint.cli.reading import read_options, reading_limits, switch_often
from memlint.errors import UsageError
from memlint.model.plan import Plan
from memlint.model.plan_check import Built
from memlint.planner.alike import Contents, reading
from memlint.planner.draft import BUDGETS, MIN_SAVING, SHARE, Options
from memlint.planner.inventory import inventory_of
from memlint.planner.planning import plan_images
from memlint.planner.preparing import Prepared, prepare
from memlint.planner.weighing import Basis
from memlint.planner.write.service import Service
from memlint.report.json import to_json
from memlint.report.plan import to_text
from memlint.report.terminal import terminal_for


def plan(arguments: argparse.Namespace) -> int:
    """Plan the images, or Dockerfiles alone, or check what was built to a plan."""
    switch_often()
    if arguments.check is not None:
        if arguments.write is not None:
            raise UsageError("--check and --write are two questions", "write a plan first, then build, then check it")
        for name, given in (("--basis", arguments.basis), ("--replicas", arguments.replicas)):
            if given:
                raise UsageError(f"--check has no use for {name}", "a plan is checked as it was counted")
        from memlint.cli.plan_check import check

        return check(arguments)
    if not arguments.images:
        raise UsageError("no image was given", "name one or more, for example docker-daemon:web oci:./build/api")
    from memlint.cli.plan_dockerfiles import are_dockerfiles
    from memlint.cli.plan_dockerfiles import plan as plan_dockerfiles

    if are_dockerfiles(arguments.images):
        return plan_dockerfiles(arguments)
    return _of_images(arguments)


def _of_images(arguments: argparse.Namespace) -> int:
    if arguments.write is not None:
        check_directory(arguments.write, force=arguments.force)
    former = read_former(arguments.previous) if arguments.previous is not None else None
    check_basis(arguments)
    recorded = api.read_known(arguments.profile or ())
    with progress_bar(wanted=not arguments.no_progress) as progress:
        fleet = api.load(arguments.images, dict(arguments.replicas or ()), **read_options(arguments, progress))
    basis = api.basis_of(arguments.basis, recorded, fleet)
    given = Given(dict(arguments.dockerfile or ()), dict(arguments.context or ()), arguments.compose or ())
    services = find_services(fleet, given, arguments.write or ".")
    limits, stock = reading_limits(arguments), Bases(fleet.images)
    contents = reading(limits)
    prepared = prepare(fleet.images, fleet.indexes, services, limits, stock, former, contents)
    found = plan_images(
        fleet.images,
        fleet.replicas,
        fleet.indexes,
        fleet.storage,
        arguments.kinds,
        _options(basis, arguments, prepared, former, contents, listed(services, arguments.write or ".")),
        prepared.images,
    )
    if arguments.write is not None:
        found = _write(found, fleet, services, prepared, basis.name, arguments)
    write_output(_formatted(found, arguments), arguments.output_file)
    return 0


def _options(
    basis: Basis,
    arguments: argparse.Namespace,
    prepared: Prepared,
    former: Plan | None,
    contents: Contents,
    lists: Mapping[str, str],
) -> Options:
    return Options(
        basis=basis,
        nodes=arguments.nodes,
        former=former,
        budgets=tuple(arguments.max_extra or BUDGETS),
        max_bases=arguments.max_bases,
        min_saving=MIN_SAVING if arguments.min_saving is None else arguments.min_saving,
        share=SHARE if arguments.min_saving is None else 0.0,
        prefer=arguments.prefer,
        grounds=prepared.grounds,
        again=prepared.again,
        listed=lists,
        follows=prepared.follows,
        apart=prepared.apart,
        origins=prepared.origins,
        standing=prepared.standing,
        taken=prepared.taken,
        contents=contents,
        left_out=prepared.left_out,
        notes=prepared.notes,
    )


def _write(
    found: Plan,
    fleet: api.Loaded,
    services: list[Service],
    prepared: Prepared,
    basis: str,
    arguments: argparse.Namespace,
) -> Plan:
    replicas = {image.ref: count for image, count in zip(fleet.images, fleet.replicas, strict=True)}
    built = Built({}, basis, fleet.storage.name, replicas, tuple(arguments.kinds), arguments.nodes)
    built = msgspec.structs.replace(built, inventory=inventory_of(fleet.images, fleet.indexes))
    return write_plan(
        found,
        fleet.images,
        fleet.indexes,
        services,
        prepared,
        arguments.write,
        built,
        force=arguments.force,
    )


def _formatted(found: Plan, arguments: argparse.Namespace) -> str:
    if arguments.format == "json":
        return to_json(found)
    terminal = terminal_for(arguments.output_file, no_color=arguments.no_color)
    return to_text(found, terminal, everything=arguments.all)
