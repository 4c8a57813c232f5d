"""`memlint plan` of Dockerfiles, where no image exists yet."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence

from memlint.cli.output import say, write_output
from memlint.cli.plan_directory import check_directory, write_directory
from memlint.cli.plan_services import Given, service_of
from memlint.cli.plan_writing import say_what_stays
from memlint.dockerfile.discover import is_dockerfile_name
from memlint.errors import UsageError
from memlint.lint.origins import services_of
from memlint.planner.dockerfiles import STRICT, UNION, plan_dockerfiles
from memlint.planner.tree import Limits
from memlint.planner.write import SCRIPT
from memlint.planner.write.alone import write_dockerfiles
from memlint.planner.write.service import unique_names
from memlint.report.json import to_json
from memlint.report.plan_dockerfiles import to_text


def are_dockerfiles(names: Sequence[str]) -> bool:
    """Whether all are files that are called as Dockerfiles are. UsageError when only some are."""
    found = [name for name in names if is_dockerfile_name(os.path.basename(name)) and os.path.isfile(name)]
    if found and len(found) < len(names):
        other = next(name for name in names if name not in found)
        raise UsageError(
            f"{found[0]} is a Dockerfile, but {other} is none",
            "plan images, and name their Dockerfiles with --dockerfile IMAGE=PATH; or plan Dockerfiles alone",
        )
    return bool(found)


def plan(arguments: argparse.Namespace) -> int:
    """Plan, print, and write where that is asked for."""
    if arguments.write is not None:
        check_directory(arguments.write, force=arguments.force)
    if arguments.previous is not None:
        raise UsageError(
            "--previous is of no use to Dockerfiles alone: what their packages become is not known",
            "name the images that were built from them",
        )
    if arguments.profile:
        raise UsageError(
            "--profile is of no use to Dockerfiles alone: which files their packages bring is not known",
            "name the images that were built from them",
        )
    paths = list(dict.fromkeys(os.path.normpath(path) for path in arguments.images))
    given = Given({}, dict(arguments.context or ()), arguments.compose or ())
    composed = services_of(given.compose, os.environ)
    names = unique_names([_name(path) for path in paths])
    directory = arguments.write or "."
    contexts = _contexts(paths, given.contexts)
    services = [
        service_of(_Named(path, name), (name, name), (path, None), contexts.get(path), composed, directory)
        for path, name in zip(paths, names, strict=True)
    ]
    prefer = UNION if arguments.prefer == UNION else STRICT
    limits = Limits(bases=arguments.max_bases)
    result = plan_dockerfiles([service.origin for service in services], prefer, limits)
    if arguments.write is not None:
        planned = {service.dockerfile for service in result.services}
        files = write_dockerfiles(result, [each for each in services if each.origin.dockerfile.path in planned])
        whole = {**files, "plan.json": to_json(result)}
        say_what_stays(arguments.write, write_directory(arguments.write, whole, [SCRIPT], force=arguments.force))
        say(f"memlint: note: {arguments.write} was written: build it with {os.path.join(arguments.write, SCRIPT)}")
    write_output(to_json(result) if arguments.format == "json" else to_text(result), arguments.output_file)
    return 0


class _Named:
    """A Dockerfile in the place of an image."""

    def __init__(self, ref: str, name: str) -> None:
        self.ref, self.name = ref, name


def _name(path: str) -> str:
    """After the part of the file's name that is its own, else after the directory it lies in."""
    base = os.path.basename(path)
    own = base.rpartition(".")[0] if base.lower().endswith(".dockerfile") else base.partition(".")[2]
    return own or os.path.basename(os.path.dirname(os.path.abspath(path))) or "image"


def _contexts(paths: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, context in given.items():
        if os.path.normpath(path) not in paths:
            raise UsageError(f"{path!r} has a context but is none of the Dockerfiles", "write --context DOCKERFILE=DIR")
        if not os.path.isdir(context):
            raise UsageError(f"{context}: is no directory, so no build context", "write --context DOCKERFILE=DIR")
        found[os.path.normpath(path)] = context
    return found
