"""What BuildKit refuses of a single instruction that its syntax allows."""

from __future__ import annotations

from memlint.dockerfile.command import shown
from memlint.dockerfile.words import assignments
from memlint.errors import DockerfileError, did_you_mean
from memlint.model.dockerfile import Instruction

_ANY = 1_000_000_000
_ARGUMENTS = {
    **dict.fromkeys(("CMD", "ENTRYPOINT", "RUN"), (0, _ANY)),
    **dict.fromkeys(("ARG", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "SHELL", "VOLUME"), (1, _ANY)),
    **dict.fromkeys(("MAINTAINER", "ONBUILD", "STOPSIGNAL", "USER", "WORKDIR"), (1, 1)),
    **dict.fromkeys(("ADD", "COPY"), (2, _ANY)),
}
"""Of each keyword, the fewest and the most arguments."""

KEYWORDS = frozenset(_ARGUMENTS)


def check_instruction(instruction: Instruction) -> None:
    """DockerfileError where BuildKit refuses it."""
    problem = _problem(instruction)
    if problem is not None:
        message, hint = problem
        raise DockerfileError(message, hint, instruction.span.line)


def _problem(instruction: Instruction) -> tuple[str, str] | None:
    keyword = instruction.keyword
    if keyword not in KEYWORDS:
        name = shown(keyword)
        message = f"unknown instruction {name}" if name else "a continuation without an instruction"
        return message, did_you_mean(keyword, sorted(KEYWORDS)) or "if it continues the line before, end that with \\"
    fewest, most = _ARGUMENTS[keyword]
    count = len(instruction.words)
    if count < fewest:
        return f"{keyword} needs {'an argument' if fewest == 1 else 'a source and a destination'}", "add it"
    if count > most:
        return f"{keyword} takes one argument", "remove the others"
    return _special(instruction)


def _special(instruction: Instruction) -> tuple[str, str] | None:
    keyword, words = instruction.keyword, instruction.words
    if keyword in ("ARG", "ENV", "LABEL") and not all(name for name, _, _ in assignments(instruction)):
        return f"{keyword} with an empty name", "write name=value"
    if keyword == "SHELL" and not instruction.json:
        return "SHELL without the JSON form", 'write SHELL ["program", "option"]'
    if keyword == "VOLUME" and not all(word.text.strip() for word in words):
        return "VOLUME with an empty path", "name a directory"
    if keyword == "HEALTHCHECK":
        return _health(words[0].text.upper(), len(words))
    inner = instruction.on_build
    if inner is not None and inner.keyword in ("FROM", "MAINTAINER", "ONBUILD"):
        return f"ONBUILD {inner.keyword}", f"{inner.keyword} cannot be a trigger"
    return None


def _health(kind: str, count: int) -> tuple[str, str] | None:
    if kind == "NONE":
        return ("HEALTHCHECK NONE with an argument", "remove it") if count > 1 else None
    if kind != "CMD":
        return f"HEALTHCHECK {shown(kind)}", "write HEALTHCHECK CMD command, or HEALTHCHECK NONE"
    return None if count > 1 else ("HEALTHCHECK CMD without a command", "add it")
