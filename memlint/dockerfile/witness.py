"""The second opinion: dockerfile-parse reads the folded text, and must see the same instructions.

It is given one physical line per instruction, because it knows neither heredocs nor most continuations, and is
quadratic on long ones; never a path, because it would look for `Dockerfile` there and could write.
"""

from __future__ import annotations

from io import StringIO

from memlint.errors import DockerfileError
from memlint.model.dockerfile import Instruction


def confirm(instructions: tuple[Instruction, ...]) -> None:
    """DockerfileError where dockerfile-parse disagrees."""
    from dockerfile_parse import DockerfileParser  # its import costs more than all else

    lines = [_stripped(f"{each.keyword} {each.value}") for each in instructions]
    parser = DockerfileParser(fileobj=StringIO("\n".join([*lines, ""])), env_replace=False)
    seen = [(each["startline"], each["instruction"], each["value"]) for each in parser.structure]
    for number, (instruction, line) in enumerate(zip(instructions, lines, strict=True)):
        value = line[len(instruction.keyword) :].strip()
        if seen[number : number + 1] != [(number, instruction.keyword, value)]:
            message = f"dockerfile-parse reads {instruction.keyword} otherwise"
            raise DockerfileError(message, "report this Dockerfile", instruction.span.line)
    if len(seen) != len(lines):
        raise DockerfileError("dockerfile-parse sees instructions that are none", "report this Dockerfile")


def _stripped(line: str) -> str:
    """Without what it strips from the end: blanks, and a backslash as a continuation whatever the directive says."""
    end = len(line)
    while end and (line[end - 1] == "\\" or line[end - 1].isspace()):
        end -= 1
    return line[:end]
