"""What is known of a command of a shell script."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.wrappers import program

if TYPE_CHECKING:
    from collections.abc import Callable

    from memlint.model.dockerfile import Span


class ShellWord(msgspec.Struct, frozen=True, gc=False):
    """A word after its expansion: `raw` is the script from `start` to `end`.

    `text` is None where it cannot be known; it may then be any number of words. `prefix` is what is known of its start.
    A variable that holds several words gives as many with the same place. What xargs appends is an empty `raw`.
    """

    raw: str
    text: str | None
    start: int
    end: int
    prefix: str = ""


class Command(msgspec.Struct, frozen=True, gc=False):
    """A simple command.

    - `joined`: what stands between it and the one before: "" for the first, "&&", "||", ";" (or a new line), "|", "&".
    - `directory`: where it runs, after the `cd`s before it; None when unknown.
    - `program`: the index in `words` of the program that the wrappers before it (`env`, `sudo`, `exec`, `time` …) run;
      None when it is not known.
    - `conditional`: it may be skipped though the build goes on: inside if, for, while, case or a function, after `||`,
      or after a test that guards it.
    """

    words: tuple[ShellWord, ...]
    assignments: tuple[tuple[str, ShellWord], ...]
    joined: str
    directory: str | None
    conditional: bool
    start: int
    end: int
    program: int | None

    @property
    def name(self) -> str | None:
        """That program's name, without its directory."""
        index = self.program
        return None if index is None else program(self.words[index].text)

    @property
    def arguments(self) -> tuple[ShellWord, ...]:
        """What follows the program."""
        index = self.program
        return () if index is None else self.words[index + 1 :]


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A command and the way to its place in the file: `locate` gives the span of a stretch of the script."""

    command: Command
    locate: Callable[[int, int], Span]

    @property
    def span(self) -> Span:
        """The command's place."""
        return self.locate(self.command.start, self.command.end)

    @property
    def word_spans(self) -> tuple[Span, ...]:
        """The places of its words. Few commands are asked for them, and a repository has many commands."""
        return tuple(self.locate(word.start, word.end) for word in self.command.words)

    @property
    def arguments(self) -> tuple[tuple[ShellWord, Span], ...]:
        """The command's arguments, each with its place."""
        index = self.command.program
        words = self.command.words
        return () if index is None else tuple(zip(words, self.word_spans, strict=True))[index + 1 :]
