"""A Dockerfile's text into its stages and instructions, as BuildKit reads it."""

from __future__ import annotations

from memlint.dockerfile.check import check_instruction
from memlint.dockerfile.fold import BOM, Reader
from memlint.dockerfile.instruction import read_instructions
from memlint.dockerfile.stages import build_stages
from memlint.dockerfile.witness import confirm
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Dockerfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 4 * 1024 * 1024
"""Bytes of a Dockerfile, a hundred times the largest that people write: parsing takes some hundred bytes for each."""


def parse_dockerfile(
    text: bytes | str, path: str = "Dockerfile", build_args: Mapping[str, str] | None = None
) -> Dockerfile:
    """Parses a whole file. Bytes that are not UTF-8 become lone surrogates, as `surrogateescape` has it.

    The result's `text` lacks the byte-order mark, which has no column. DockerfileError, with the path and the line in
    its message, where BuildKit refuses the file.
    """
    try:
        return _parse(text, path, dict(build_args or {}))
    except DockerfileError as error:
        raise error.inside(path if error.line is None else f"{path}:{error.line}") from None


def _parse(text: bytes | str, path: str, build_args: dict[str, str]) -> Dockerfile:
    if len(text) > LARGEST:
        raise DockerfileError(f"larger than {LARGEST // 1024**2} MiB", "no Dockerfile needs that much")
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    reader = Reader(text)
    instructions = tuple(read_instructions(reader))
    if not instructions:
        raise DockerfileError("no instructions", "begin a stage with FROM")
    for instruction in instructions:
        check_instruction(instruction)
    confirm(instructions)
    preamble, stages = build_stages(instructions, build_args, reader.escape)
    return Dockerfile(
        path=path,
        text=text.removeprefix(BOM),
        directives=reader.directives,
        preamble=preamble,
        stages=stages,
        comments=tuple(reader.comments),
        build_args=build_args,
    )
