"""The plan's README: what was planned, how it is built, what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memlint.model.plan import Plan, PlannedBase, PlannedFiles, PlannedImage
from memlint.model.report import Totals
from memlint.model.units import human_size, plural
from memlint.planner.write.dockerfile import Change
from memlint.planner.write.installs import install_line
from memlint.planner.write.service import TAG, Service

_HOW = f"""\
## Build

    ./build.sh                                  # docker, podman or buildah; with docker also DOCKER_BUILDKIT=0
    TAG=1.2 BUILD_ARGS="--network=host" ./build.sh
    docker buildx bake                          # the same by docker-bake.hcl, in this directory

Services are tagged with their own repository and `${{TAG:-{TAG}}}`. Images share the pages of a base only when they
stand on one build of it: build the bases once, push them, and let every service's FROM name the digest that was pushed.

## Check

    memlint plan --check .                      # what was predicted against what the new images show
"""


_TABLE = "| | page cache | distinct | duplicate |\n|---|---|---|---|\n"


def readme(
    plan: Plan, bases: Sequence[PlannedBase], services: Sequence[Service], changes: Mapping[str, Sequence[Change]]
) -> str:
    """The text; `changes` are those of each service by its reference."""
    before, after = plan.before, plan.after
    references = {base.name: base.reference for base in bases}
    parts = [
        "# A plan for shared bases\n",
        f"Written by `memlint plan`. All figures, on {plan.storage}: {plan.basis}.\n",
        _TABLE + _row("before", before) + _row("after", after),
        f"{plan.chosen}: {plan.reason}\n",
        "## Bases\n",
        *[_base(base, references) for base in bases],
        "## Services\n",
        *[_service(service, changes.get(service.ref, ())) for service in services],
        *_alone(plan, services, references),
        *_updates(plan),
        _HOW,
        *_left_out(plan),
    ]
    return "\n".join(parts)


def _row(name: str, totals: Totals) -> str:
    sizes = (totals.page_cache_bytes, totals.distinct_bytes, totals.duplicate_bytes)
    return f"| {name} | {' | '.join(human_size(size) for size in sizes)} |\n"


def _base(base: PlannedBase, references: Mapping[str, str]) -> str:
    parent = references[base.parent] if base.parent else base.source
    saved = f"saves {human_size(base.page_cache_saved_bytes)} over {plural(len(base.images), 'image')}"
    lines = [f"`{base.reference}` on `{parent}`: {saved}.\n"]
    asked = [f"{package.name} {package.version}" for package in base.packages if package.root]
    if asked:
        lines.append(f"- installs {', '.join(asked)}")
    lines += [f"- takes {_files(group)} from {group.image}" for group in base.files]
    return "\n".join(lines) + "\n"


def _files(group: PlannedFiles) -> str:
    return f"{plural(len(group.paths), 'file')} of /{group.directory.strip('/')}"


def _service(service: Service, changes: Sequence[Change]) -> str:
    path = f"services/{service.name}/Dockerfile"
    lines = [f"`{service.repository}:{TAG}{service.variant}` — [{path}]({path}), [what changed]({path}.diff)\n"]
    if service.wants:
        lines.append(f"- its compose file gives the build {' and '.join(service.wants)}: do so with BUILD_ARGS")
    for change in changes:
        price = f" ({human_size(change.bytes)})" if change.bytes else ""
        lines.append(f"- line {change.line} {_DONE[change.kind]}: `{change.text}`{price}: {change.why}")
    return "\n".join(lines) + "\n"


_DONE = {
    "base": "is changed",
    "added": "is followed by what its instructions would not bring on that base",
    "removed": "is removed",
    "moved": "goes into the base",
    "merged": "goes into the RUN above",
    "staged": "is changed",
    "kept": "stays",
}


def _alone(plan: Plan, services: Sequence[Service], references: Mapping[str, str]) -> list[str]:
    """The images whose Dockerfile is not known: what to write in it."""
    known = {service.ref for service in services}
    rest = [image for image in plan.images if image.base is not None and image.ref not in known]
    lines = [f"- {image.name}: `FROM {references[str(image.base)]}`{_then(image)}" for image in rest]
    return ["These have no Dockerfile here; change their FROM by hand:\n\n" + "\n".join(lines) + "\n"] if lines else []


def _then(image: PlannedImage) -> str:
    """What has to be named on the base."""
    line = install_line(image.installs)
    return f", then `{line}`: its own instructions would not bring these there" if line else ""


def _updates(plan: Plan) -> list[str]:
    """What changes where images are to stand on another build of their original base."""
    lines = [f"- {image.name}: {', '.join(image.updates)}" for image in plan.images if image.updates]
    return ["On the newest build of their base, these change:\n\n" + "\n".join(lines) + "\n"] if lines else []


def _left_out(plan: Plan) -> list[str]:
    lines = [f"- {each.what}: {each.why}" for each in plan.left_out]
    return ["## Left out\n", "\n".join(lines) + "\n"] if lines else []
