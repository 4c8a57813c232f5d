"""BuildKit's own parser as an oracle, and the real Dockerfiles that it is asked about."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from memlint.dockerfile.check import KEYWORDS
from memlint.dockerfile.fold import Reader
from memlint.dockerfile.instruction import read_instructions
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Flag, Instruction

_TABS = re.compile(r"^\t+", re.MULTILINE)
Seen = tuple[Any, ...]


def missing(what: str) -> None:
    """Skips a test for want of something; fails where nothing may be wanting."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is not here")


def corpus() -> Path:
    """The directory of real Dockerfiles."""
    found = Path(os.environ.get("MEMLINT_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
    if not found.is_dir():
        missing("the corpus (MEMLINT_CORPUS)")
    return found


def corpus_dockerfiles() -> list[Path]:
    """All of the corpus, BuildKit's test files too."""
    files = (path for path in sorted(corpus().rglob("*")) if path.is_file())
    return [path for path in files if re.search(r"(?i)dockerfile|containerfile", path.name) and path.suffix != ".yaml"]


def theirs(text: str) -> list[Seen] | str:
    """What BuildKit v0.12.5 makes of a text; "refused" where it refuses it."""
    try:
        import dockerfile
    except ImportError:
        missing("PyPI's dockerfile")
    try:
        commands = dockerfile.parse_string(text)
    except dockerfile.GoParseError:
        return "refused"
    return [_their(command) for command in commands]


def _their(command: Any) -> Seen:
    inner = (command.sub_cmd or "").lower()
    known = (inner or (command.cmd or "").lower()).upper() in KEYWORDS and inner != "onbuild"
    heredocs = tuple((each.name, _TABS.sub("", each.content)) for each in command.heredocs)
    return (
        (command.cmd or "").lower(),
        inner,
        (command.start_line, command.end_line),
        command.json,
        tuple(flag.removesuffix("=") for flag in command.flags),
        command.value if known else (),
        heredocs,
    )


def ours(text: str) -> list[Seen] | str:
    """What memlint makes of it, in the same form."""
    try:
        return [_our(instruction) for instruction in read_instructions(Reader(text))] or "refused"
    except DockerfileError:
        return "refused"


def _our(instruction: Instruction) -> Seen:
    inner = instruction.on_build
    taking = inner or instruction
    heredocs = tuple((each.name, _TABS.sub("", each.content)) for each in instruction.heredocs)
    return (
        instruction.keyword.lower(),
        inner.keyword.lower() if inner else "",
        (instruction.span.line, instruction.span.end_line),
        taking.json,
        tuple(flag_text(flag) for flag in instruction.flags),
        flat_words(taking),
        heredocs,
    )


def flag_text(flag: Flag) -> str:
    """A flag as it was written, but for quotes."""
    return f"--{flag.name}={flag.value}" if flag.value else f"--{flag.name}"


def flat_words(instruction: Instruction) -> tuple[str, ...]:
    """The arguments as BuildKit lists them: names and values of ENV and LABEL one after the other."""
    words = tuple(word.text for word in instruction.words)
    if instruction.keyword == "ONBUILD":
        return ()
    if instruction.keyword in ("ENV", "LABEL") and is_modern(instruction):
        return tuple(part for word in words for part in word.split("=", 1))
    return words


def is_modern(instruction: Instruction) -> bool:
    """Whether ENV or LABEL has the form `name=value`."""
    words = instruction.words
    return (
        bool(words)
        and "=" in re.split(r"[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]", words[0].text)[0]
    )
