"""The files of a plan that was made of Dockerfiles alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from memlint.model.image import Image, Process
from memlint.model.plan import LeftOut, PlannedBase, PlannedPackage
from memlint.model.plan_dockerfiles import DockerfilesPlan, NamedBase, NamedPackage
from memlint.model.units import plural
from memlint.planner.standing import user_below
from memlint.planner.write.bake import bake_file
from memlint.planner.write.base import as_root, base_text
from memlint.planner.write.compose import compose_override
from memlint.planner.write.dockerfile import Layered, files_of, rewrite
from memlint.planner.write.installs import install_lines
from memlint.planner.write.script import build_script
from memlint.planner.write.service import TAG, Service, reference_of

_BUILD = f"""\
`./build.sh` builds the bases, then the services as `NAME:${{TAG:-{TAG}}}`; TAG, BUILDER and BUILD_ARGS are heeded.
`docker buildx bake` in this directory does the same. Once the images exist, plan again from them: then bytes count.
"""
_NO_IMAGE = Image("", "", "", Process(), ())


def write_dockerfiles(plan: DockerfilesPlan, services: Sequence[Service]) -> dict[str, str]:
    """Relative path → text. `services` are called by the paths of their Dockerfiles."""
    files: dict[str, str] = {}
    bases = list(_written(plan.bases, services, files))
    references = {base.name: base.reference for base in bases}
    stands = {service.dockerfile: service.base for service in plan.services}
    for service in services:
        result = rewrite(service, references.get(stands.get(service.ref) or ""), Layered(_NO_IMAGE))
        files |= files_of(service, result)
    override = compose_override(services)
    if override is not None:
        files["compose.override.yaml"] = override
    script = build_script(bases, services)
    return {
        **files,
        "build.sh": script,
        "docker-bake.hcl": bake_file(bases, services, stands),
        "README.md": _readme(plan, services, references),
    }


def _written(bases: Sequence[NamedBase], services: Sequence[Service], files: dict[str, str]) -> Iterator[PlannedBase]:
    """The bases with what they are called, each after the one that it stands on; their Dockerfiles go into `files`."""
    names = {service.ref: service.name for service in services}
    origins = {service.ref: service.origin for service in services}
    references: dict[str, str] = {}
    for named in bases:
        base = _planned(named)
        user = user_below(base.source, [origins[ref] for ref in named.dockerfiles if ref in origins])
        body = as_root(install_lines(base.packages), base.source, user)
        text = base_text(base, references.get(base.parent or ""), names, [_about(named)], body)
        references[base.name] = reference_of(base.name, f"{text}{base.platform}")
        files[f"bases/{base.name}/Dockerfile"] = text
        yield msgspec.structs.replace(base, reference=references[base.name])


def _planned(base: NamedBase) -> PlannedBase:
    packages = tuple(PlannedPackage(each.name, each.version, each.type, True, 0) for each in base.packages)
    return PlannedBase(base.name, base.parent, base.source, base.platform, packages, (), base.dockerfiles, 0, {})


def _about(base: NamedBase) -> str:
    return f"{plural(base.saved_packages, 'install')} of packages less over these images; their bytes are not known."


def _readme(plan: DockerfilesPlan, services: Sequence[Service], references: Mapping[str, str]) -> str:
    by_path = {service.ref: service for service in services}
    lines = [
        "# A plan for shared bases\n",
        f"Written by `memlint plan` from Dockerfiles alone. It counts {plan.basis}.\n",
        f"Installed anew: {plural(plan.before, 'package')} before, {plan.after} after; {plan.distinct} are distinct.\n",
        "## Bases\n",
    ]
    for base in plan.bases:
        parent = references[base.parent] if base.parent else base.source
        lines.append(f"- `{references[base.name]}` on `{parent}`: {_listed(base.packages) or 'pins what it stands on'}")
    lines.append("\n## Services\n")
    for planned in plan.services:
        service = by_path[planned.dockerfile]
        path = f"services/{service.name}/Dockerfile"
        stands = f"stands on `{references[planned.base]}`" if planned.base else "stays on its own base"
        unasked = f"; gets {_listed(planned.extra)} unasked" if planned.extra else ""
        lines.append(f"- `{planned.dockerfile}` → [{path}]({path}): {stands}{unasked}")
    lines += ["\n## Build\n", _BUILD, *_left_out(plan.left_out)]
    return "\n".join(lines) + "\n"


def _listed(packages: Sequence[NamedPackage]) -> str:
    return ", ".join(f"{package.name} {package.version}".strip() for package in packages)


def _left_out(left_out: Sequence[LeftOut]) -> list[str]:
    return ["\n## Left out\n", *(f"- {each.what}: {each.why}" for each in left_out)] if left_out else []
