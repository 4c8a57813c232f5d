"""A package of the distribution brings another build of the runtime that the base is made for."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.lint.image import base_name, images_of, steps_with_triggers, told_once
from memlint.lint.runtimes import brings_again, runtime_of
from memlint.model.ecosystems import DISTRIBUTION
from memlint.model.finding import Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.facts import StageFacts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile


def second_runtime(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each such install, by its first package that needs the distribution's own build."""
    return told_once(_in_image(dockerfile, stages) for stages in images_of(dockerfile, repository))


def _in_image(dockerfile: Dockerfile, stages: tuple[StageFacts, ...]) -> Iterator[Hit]:
    base = stages[0].base
    runtime = runtime_of(base)
    if runtime is None or base is None or (runtime.name == "Python" and not base.variant):
        return  # the full Python images hold the distribution's Python already
    for step in steps_with_triggers(stages):
        for install in step.installs:
            package = next((each for each in install.packages if brings_again(runtime, each.name)), None)
            if package is not None and install.ecosystem in DISTRIBUTION and not install.conditional:
                yield Hit(
                    location=Location(dockerfile.path, package.span),
                    evidence={"package": package.name, "runtime": runtime.name, "base": base_name(stages)},
                    related=(
                        Related(Location(dockerfile.path, stages[0].stage.base_span), f"brings {runtime.name} already"),
                    ),
                )
