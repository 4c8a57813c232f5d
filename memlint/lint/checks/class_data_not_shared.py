"""The JVM is told not to share class data, or to write its archive in each container."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.words import assignments
from memlint.lint.image import final_stages
from memlint.model.finding import Hit, Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.facts import Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Span

_OPTION = re.compile(r"-Xshare:off|-XX:ArchiveClassesAtExit(?==)|-XX:\+AutoCreateSharedArchive")
_EFFECTS = {
    "-Xshare:off": "makes each JVM hold the class data in memory of its own",
    "-XX:ArchiveClassesAtExit": "writes the archive in each container for itself, where no other JVM maps it",
    "-XX:+AutoCreateSharedArchive": "writes the archive in each container for itself, where no other JVM maps it",
}


def class_data_not_shared(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each such option in the environment, the ENTRYPOINT or the CMD of the image."""
    for step in (step for stage in final_stages(dockerfile, repository) for step in stage.steps):
        for text, span in _texts(step):
            match = _OPTION.search(text)
            if match:
                yield Hit(
                    location=Location(dockerfile.path, span),
                    evidence={"option": match[0], "effect": _EFFECTS[match[0]]},
                )


def _texts(step: Step) -> Iterator[tuple[str, Span]]:
    instruction = step.instruction
    if instruction.keyword == "ENV":
        yield from ((value or "", word.span) for _, value, word in assignments(instruction))
    elif instruction.keyword in ("CMD", "ENTRYPOINT"):
        yield from ((word.text, word.span) for word in instruction.words)
