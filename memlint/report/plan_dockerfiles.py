"""A plan made of Dockerfiles alone, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.model.plan_dockerfiles import DockerfilesPlan, NamedPackage
from memlint.model.units import plural


def to_text(plan: DockerfilesPlan) -> str:
    """The bases, what stands on each, and what was left out."""
    shared = f"{plural(len(plan.bases), 'shared base')} ({plan.chosen}); {plan.distinct} are distinct"
    lines = [
        f"{plural(len(plan.services), 'Dockerfile')}, no images: counted are {plan.basis}.",
        "",
        f"installed anew: {plural(plan.before, 'package')} now, {plan.after} with {shared}",
    ]
    for base in plan.bases:
        lines += [
            "",
            f"{base.name}  on {base.parent or base.source}  saves {plural(base.saved_packages, 'install')}",
            f"  installs  {_listed(base.packages) or 'nothing: all stand on one digest'}",
            *(f"  for       {path}" for path in base.dockerfiles),
        ]
    if not plan.bases:
        lines += ["", "No two of them install the same packages on the same base: there is nothing to share."]
    unasked = [service for service in plan.services if service.extra]
    lines += ["", *(f"{each.dockerfile} gets unasked: {_listed(each.extra)}" for each in unasked)] if unasked else []
    if plan.left_out:
        lines += ["", "Left out:", *(f"  {each.what}: {each.why}" for each in plan.left_out)]
    return "\n".join([*lines, ""])


def _listed(packages: Sequence[NamedPackage]) -> str:
    return ", ".join(f"{package.name} {package.version}".strip() for package in packages)
