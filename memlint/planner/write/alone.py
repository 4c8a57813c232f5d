"""The files of a plan that was made of Dockerfiles alone."""

from __future__ import annotations

from collections.abc import Sequence

from memlint.model.image import Image, Process
from memlint.model.plan import LeftOut, PlannedBase, PlannedPackage
from memlint.model.plan_dockerfiles import DockerfilesPlan, NamedBase, NamedPackage
from memlint.model.units import plural
from memlint.planner.write.bake import bake_file
from memlint.planner.write.base import base_text
from memlint.planner.write.compose import compose_override
from memlint.planner.write.dockerfile import Layered, difference, rewrite
from memlint.planner.write.installs import install_lines
from memlint.planner.write.script import build_script
from memlint.planner.write.service import TAG, Service, base_reference

_BUILD = f"""\
`./build.sh` builds the bases, then the services as `NAME:${{TAG:-{TAG}}}`; TAG, BUILDER and BUILD_ARGS are heeded.
`docker buildx bake` in this directory does the same. Once the images exist, plan again from them: then bytes count.
"""
_NO_IMAGE = Image("", "", "", Process(), ())


def write_dockerfiles(plan: DockerfilesPlan, services: Sequence[Service]) -> dict[str, str]:
    """Relative path → text. `services` are called by the paths of their Dockerfiles."""
    bases = [_planned(base) for base in plan.bases]
    names = {service.ref: service.name for service in services}
    files = {
        f"bases/{base.name}/Dockerfile": base_text(base, names, [_about(named)], install_lines(base.packages))
        for base, named in zip(bases, plan.bases, strict=True)
    }
    stands = {service.dockerfile: service.base for service in plan.services}
    for service in services:
        base = stands.get(service.ref)
        result = rewrite(service, None if base is None else base_reference(base), Layered(_NO_IMAGE))
        place, path = f"services/{service.name}/Dockerfile", service.origin.dockerfile.path.lstrip("/")
        before, after = service.mark + service.origin.dockerfile.text, service.mark + result.text
        files |= {place: after, f"{place}.diff": difference(before, after, f"a/{path}", f"b/{path}")}
        if service.ignore is not None:
            files[f"{place}.dockerignore"] = service.ignore
    override = compose_override(services)
    if override is not None:
        files["compose.override.yaml"] = override
    script = build_script(bases, services)
    return {
        **files,
        "build.sh": script,
        "docker-bake.hcl": bake_file(bases, services, stands),
        "README.md": _readme(plan, services),
    }


def _planned(base: NamedBase) -> PlannedBase:
    packages = tuple(PlannedPackage(each.name, each.version, each.type, True, 0) for each in base.packages)
    return PlannedBase(base.name, base.parent, base.source, base.platform, packages, (), base.dockerfiles, 0, {})


def _about(base: NamedBase) -> str:
    return f"{plural(base.saved_packages, 'install')} of packages less over these images; their bytes are not known."


def _readme(plan: DockerfilesPlan, services: Sequence[Service]) -> str:
    by_path = {service.ref: service for service in services}
    lines = [
        "# A plan for shared bases\n",
        f"Written by `memlint plan` from Dockerfiles alone. It counts {plan.basis}.\n",
        f"Installed anew: {plural(plan.before, 'package')} before, {plan.after} after; {plan.distinct} are distinct.\n",
        "## Bases\n",
    ]
    for base in plan.bases:
        parent = base_reference(base.parent) if base.parent else base.source
        lines.append(
            f"- `{base_reference(base.name)}` on `{parent}`: {_listed(base.packages) or 'pins what it stands on'}"
        )
    lines.append("\n## Services\n")
    for planned in plan.services:
        service = by_path[planned.dockerfile]
        path = f"services/{service.name}/Dockerfile"
        stands = f"stands on `{base_reference(planned.base)}`" if planned.base else "stays on its own base"
        unasked = f"; gets {_listed(planned.extra)} unasked" if planned.extra else ""
        lines.append(f"- `{planned.dockerfile}` → [{path}]({path}): {stands}{unasked}")
    lines += ["\n## Build\n", _BUILD, *_left_out(plan.left_out)]
    return "\n".join(lines) + "\n"


def _listed(packages: Sequence[NamedPackage]) -> str:
    return ", ".join(f"{package.name} {package.version}".strip() for package in packages)


def _left_out(left_out: Sequence[LeftOut]) -> list[str]:
    return ["\n## Left out\n", *(f"- {each.what}: {each.why}" for each in left_out)] if left_out else []
