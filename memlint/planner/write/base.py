"""A planned base as a Dockerfile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from memlint.model.plan import PlannedBase
from memlint.model.units import human_size
from memlint.planner.guessing import SCRATCH
from memlint.planner.write.installs import WHOLE, copy_lines, install_lines, wrapped
from memlint.planner.write.service import reference_of
from memlint.sources.inherited import plain_user

_FROM = re.compile(r"^COPY --from=\S+ ", re.MULTILINE)


def written_base(
    base: PlannedBase, parent: str | None, names: Mapping[str, str], sources: dict[str, str | None]
) -> tuple[PlannedBase, str]:
    """The base as it is written, with its reference and the number of its layers; and its Dockerfile.

    `parent` is the reference of the base below, `names` are the images' for people, `sources` what a build calls them.
    """
    about = [f"Potential: {human_size(base.page_cache_saved_bytes)} less page cache on a node that runs them all."]
    body = _steps(base, sources)
    body += [f"RUN {command.strip()}" for command in base.commands]
    text = base_text(base, parent, names, about, as_root(body, base.source, base.user))
    reference = reference_of(base.name, _definition(base, text))
    layers = sum(line.startswith(("RUN ", "COPY ")) for line in text.split("\n"))
    return msgspec.structs.replace(base, reference=reference, layers=layers), text


def _definition(base: PlannedBase, text: str) -> str:
    """What decides what a base holds; where files are taken from does not, as long as it is known what they are."""
    if all(group.contents for group in base.files):
        text = _FROM.sub("COPY ", text)
    brought = [f"{each.name}={each.version}" for each in base.packages]
    contents = [group.contents for group in base.files]
    return " ".join([text, str(base.source_chain), base.platform, *brought, *contents])


def as_root(body: Sequence[str], source: str, user: str | None) -> list[str]:
    """The instructions run by root, whoever the user of the original base is ("" for root, None where not known)."""
    if not body or (user is not None and not plain_user(user)):
        return list(body)
    if user is None:
        who = f"Whom {source} runs commands as is not known: its services say that themselves before they run any."
        return [*wrapped(who), "USER 0", *body]
    return ["USER 0", *body, f"USER {user}"]


def _steps(base: PlannedBase, sources: dict[str, str | None]) -> list[str]:
    """The instructions of each step, from what changes least."""
    lines: list[str] = []
    for number in range(max(len(base.steps), 1)):
        own = install_lines((package for package in base.packages if package.step == number), WHOLE)
        own += copy_lines((group for group in base.files if group.step == number), sources)
        if own and len(base.steps) > 1:
            lines += wrapped(f"Step {number + 1}: {base.steps[number].why}.")
        lines += own
    return lines


def base_text(
    base: PlannedBase, parent: str | None, names: Mapping[str, str], about: Sequence[str], body: Sequence[str]
) -> str:
    """The Dockerfile of a base with these instructions, on `parent` or its source; `about` is told in its head."""
    listed = _listed([names.get(ref, ref) for ref in base.images])
    head = [f"# A base shared by {listed}, written by memlint plan.", *(f"# {line}" for line in about)]
    if parent is None and "@" not in base.source and base.source != SCRATCH:
        head.append(
            f"# Pin {base.source} by its digest: what the name stands for changes, and all that stands on it with it."
        )
    lines = [*head, f"FROM {parent or base.source}"]
    if body:
        # known to dpkg and to compilers, so that a second build gives the same bytes
        lines += ["ARG SOURCE_DATE_EPOCH", *body]
    return "\n".join(lines) + "\n"


def _listed(names: Sequence[str]) -> str:
    if len(names) > 8:
        return f"{', '.join(names[:7])} and {len(names) - 7} more images"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
