"""A Dockerfile as BuildKit's parser sees it: stages and instructions, each with the place it was read from.

Lines and columns count from 1, columns in characters; an end column is the one after the last character.
"""

from __future__ import annotations

from bisect import bisect_right

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a file."""

    line: int
    column: int
    end_line: int
    end_column: int


class Word(msgspec.Struct, frozen=True, gc=False):
    """One argument as it was written, quotes and variables unexpanded."""

    text: str
    span: Span


class Flag(msgspec.Struct, frozen=True, gc=False):
    """`--name=value`; `value` is "" for a flag that stands alone (`--link`)."""

    name: str
    value: str
    span: Span


class Heredoc(msgspec.Struct, frozen=True, gc=False):
    """A here-document: `content` as the build sees it (tabs stripped for `<<-`), `expand` unless the name was quoted.

    `first_line` is the line of the file on which the body begins.
    """

    name: str
    content: str
    expand: bool
    strip_tabs: bool
    first_line: int


class Instruction(msgspec.Struct, frozen=True):
    """One instruction.

    - `keyword`: upper case; `flags`: those before the arguments, in their order.
    - `value`: all after the keyword and the flags, as one logical line: continuations joined, comments dropped.
    - `words`: the arguments: the strings of a JSON form (`json` is true), else what BuildKit splits `value` into; one
      whole word for RUN, CMD, ENTRYPOINT, SHELL and HEALTHCHECK's command in shell form.
    - `offsets` and `places`: where parts of `value` come from; see `at`.
    - `on_build`: for ONBUILD, the instruction inside.
    """

    keyword: str
    flags: tuple[Flag, ...]
    value: str
    words: tuple[Word, ...]
    json: bool
    heredocs: tuple[Heredoc, ...]
    span: Span
    offsets: tuple[int, ...]
    places: tuple[tuple[int, int], ...]
    on_build: Instruction | None = None

    def at(self, offset: int) -> tuple[int, int]:
        """The line and column of the character at `offset` of `value`."""
        part = max(bisect_right(self.offsets, offset) - 1, 0)
        line, column = self.places[part]
        return line, column + offset - self.offsets[part]

    def span_of(self, start: int, end: int) -> Span:
        """The place of `value[start:end]`; `end` is exclusive."""
        line, column = self.at(start)
        end_line, end_column = self.at(max(end - 1, start))
        return Span(line, column, end_line, end_column + 1)

    def flag(self, name: str) -> Flag | None:
        """The last flag of this name."""
        return next((flag for flag in reversed(self.flags) if flag.name == name), None)


class Stage(msgspec.Struct, frozen=True):
    """A build stage: its FROM and what follows.

    `base` is what FROM names, expanded by global ARGs as far as they are known; None where a variable has no value.
    `parent` is the index of the stage that `base` names, if it names one. `environment` maps each name that ARG or ENV
    sets before the end of the stage to its value, None where it is set but not known.
    """

    index: int
    name: str | None
    base: str | None
    base_span: Span
    platform: str | None
    parent: int | None
    instructions: tuple[Instruction, ...]
    """Without the FROM itself, which is `source`."""
    source: Instruction
    environment: dict[str, str | None]


class Dockerfile(msgspec.Struct, frozen=True):
    """A whole file. `directives` are the parser directives by lower-case name; `preamble` is what precedes any FROM.

    `build_args` are those that its variables were expanded with.
    """

    path: str
    text: str
    directives: dict[str, str]
    preamble: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    comments: tuple[Word, ...]
    """Whole-line comments, the `#` included; directives are not among them, lines of heredocs neither."""
    build_args: dict[str, str] = {}

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """All of them, in the order of the file."""
        return self.preamble + tuple(i for stage in self.stages for i in (stage.source, *stage.instructions))
