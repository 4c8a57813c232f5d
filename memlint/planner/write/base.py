"""A planned base as a Dockerfile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from memlint.model.plan import PlannedBase
from memlint.model.units import human_size
from memlint.planner.write.installs import copy_lines, install_lines, wrapped
from memlint.planner.write.service import base_reference


def base_dockerfile(
    base: PlannedBase,
    names: Mapping[str, str],
    sources: dict[str, str | None],
    commands: Sequence[str] = (),
    user: str = "",
) -> str:
    """The Dockerfile of a base; `names` are the images' for people, `sources` what a build calls them.

    `commands` are those that all its images run, `user` is the one of the original base.
    """
    about = [f"Potential: {human_size(base.page_cache_saved_bytes)} less page cache on a node that runs them all."]
    body = _steps(base, sources)
    body += [f"RUN {command.strip()}" for command in commands]
    if body and user not in ("", "0", "root"):
        body = ["USER 0", *body, f"USER {user}"]
    return base_text(base, names, about, body)


def _steps(base: PlannedBase, sources: dict[str, str | None]) -> list[str]:
    """The instructions of each step, from what changes least."""
    lines: list[str] = []
    for number in range(max(len(base.steps), 1)):
        own = install_lines(package for package in base.packages if package.step == number)
        own += copy_lines((group for group in base.files if group.step == number), sources)
        if own and len(base.steps) > 1:
            lines += wrapped(f"Step {number + 1}: {base.steps[number].why}.")
        lines += own
    return lines


def base_text(base: PlannedBase, names: Mapping[str, str], about: Sequence[str], body: Sequence[str]) -> str:
    """The Dockerfile of a base with these instructions; `about` is told in its head."""
    parent = base_reference(base.parent) if base.parent is not None else base.source
    listed = _listed([names.get(ref, ref) for ref in base.images])
    head = [f"# A base shared by {listed}, written by memlint plan.", *(f"# {line}" for line in about)]
    if base.parent is None and "@" not in parent:
        head.append(
            f"# Pin {parent} by its digest: what the name stands for changes, and all that stands on it with it."
        )
    lines = [*head, f"FROM {parent}"]
    if body:
        # known to dpkg and to compilers, so that a second build gives the same bytes
        lines += ["ARG SOURCE_DATE_EPOCH", *body]
    return "\n".join(lines) + "\n"


def _listed(names: Sequence[str]) -> str:
    if len(names) > 8:
        return f"{', '.join(names[:7])} and {len(names) - 7} more images"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
