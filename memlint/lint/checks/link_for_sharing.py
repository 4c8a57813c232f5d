"""A comment says that `COPY --link` is there to share memory."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.lint.image import images_of, steps_of, told_once
from memlint.model.finding import Hit, Location, Related

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memlint.lint.facts import StageFacts
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Instruction, Word

_MEMORY = r"(?i)\b(?:RAM|memory|page ?cache|inodes?|RSS|PSS)\b"
_MAKES_LAYERS = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))


def link_for_sharing(dockerfile: Dockerfile, repository: Repository) -> Iterator[Hit]:
    """Each such COPY or ADD that does not stand directly on the base, below a comment that speaks of memory."""
    return told_once(_in_image(dockerfile, stages) for stages in images_of(dockerfile, repository))


def _in_image(dockerfile: Dockerfile, stages: Sequence[StageFacts]) -> Iterator[Hit]:
    comments = {comment.span.line: comment for comment in dockerfile.comments}
    layers = 0
    for step in steps_of(stages):
        instruction = step.instruction
        if instruction.keyword in _MAKES_LAYERS:
            comment = _comment(instruction, comments) if layers and _linked(instruction) else None
            if comment is not None:
                yield Hit(
                    location=Location(dockerfile.path, instruction.span),
                    evidence={"copy": instruction.keyword},
                    related=(Related(Location(dockerfile.path, comment.span), "what the comment expects of --link"),),
                    suggestion="move it directly below FROM in all images that are to share it",
                )
            layers += 1


def _linked(instruction: Instruction) -> bool:
    flag = instruction.flag("link")
    return instruction.keyword in ("COPY", "ADD") and flag is not None and flag.value.lower() != "false"


def _comment(instruction: Instruction, comments: dict[int, Word]) -> Word | None:
    """The comment directly above that speaks of memory."""
    line = instruction.span.line - 1
    while line in comments:
        if re.search(_MEMORY, comments[line].text):
            return comments[line]
        line -= 1
    return None
