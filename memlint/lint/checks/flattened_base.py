"""The whole file system of a stage or image is copied into one layer."""

from __future__ import annotations

from memlint import TYPE_CHECKING
from memlint.dockerfile.reference import parse_base
from memlint.lint.image import base_name, copy_of, final_stages, is_shared_base, named_stage
from memlint.lint.installing import SYSTEM_MANAGERS
from memlint.model.finding import Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.facts import Facts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Span

_NO_SYSTEM = (None, "scratch", "windows")


def flattened_base(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """`COPY --from=X / /`, where X stands on an image of a known distribution."""
    facts = repository.facts(dockerfile)
    if is_shared_base(dockerfile, repository):
        return
    for step in (step for stage in final_stages(dockerfile, repository) for step in stage.steps):
        copy = copy_of(step, facts)
        if copy is None or copy.stage is None or copy.target != "/" or not any(_is_root(each) for each in copy.sources):
            continue
        found = _origin(copy.stage, facts)
        if found is None:
            continue
        name, span = found
        yield Hit(
            location=Location(dockerfile.path, step.instruction.span),
            evidence={"copy": f"{step.instruction.keyword} --from={copy.stage} / /", "base": name},
            related=(Related(Location(dockerfile.path, span), f"the base that is flattened: {name}"),) if span else (),
            suggestion=f"stand on it (FROM {copy.stage}), and copy into it what else the image needs",
        )


def _is_root(source: str) -> bool:
    return source.strip("./*") == ""


def _origin(stage: str, facts: Facts) -> tuple[str, Span | None] | None:
    """The base of what is copied, where it is a distribution: by its name, or because packages are installed on it."""
    found = named_stage(stage, facts)
    if found is None:
        base = parse_base(stage)
        return (stage, None) if base is not None and base.family not in _NO_SYSTEM else None
    lineage = found.lineage
    packages = any(
        install.manager in SYSTEM_MANAGERS for each in lineage for step in each.steps for install in step.installs
    )
    if (found.base is None or found.base.family in _NO_SYSTEM) and not packages:
        return None
    return base_name(lineage), lineage[0].stage.base_span
