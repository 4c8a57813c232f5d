"""Values that every build changes: the ARGs that bring them, what is made of them, and when that is first needed."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from itertools import islice

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.words import assignments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.lint.facts import Step
    from memlint.model.dockerfile import Instruction, Span

_PINNED = r"""["']?(?:[0-9a-f]{7,64}|v?\d+\.\d+[\w.+-]*)["']?\Z"""
"""A default that names one version: such a value is raised by hand, not by every build."""
_REFERENCE = r"\$\{?(\w+)"
_LABELS = r"org\.opencontainers\.image\.(?:revision|created|version)|org\.label-schema\.(?:vcs-ref|build-date|version)"
"""Labels that say which build it is."""
_MADE_OF = 100
"""ARGs that are followed into one variable."""


class Argument(msgspec.Struct, eq=False):
    """An ARG that varies.

    - `number`: that of the step; `spoken`: that of the first step after it that names the ARG.
    - `before` and `after`: how many installs there were when it was declared, and when a RUN first needed it.
    """

    name: str
    span: Span
    number: int
    before: int
    after: int | None = None
    spoken: int | None = None


def labelled(step: Step) -> Iterator[str]:
    """The variables that a LABEL about the build is made of."""
    for name, value, _ in assignments(step.instruction) if step.instruction.keyword == "LABEL" else ():
        if re.fullmatch(_LABELS, name.strip("\"'")):
            yield from re.findall(_REFERENCE, value or "")


class Varying:
    """Goes from step to step, and keeps which variables vary: ARGs called like the patterns or in `named`, and what is
    made of them.

    - `arguments`: those ARGs, one for each name as long as no RUN needs it.
    - `installs`: all so far, each with the number of its step.
    """

    def __init__(self, patterns: Sequence[str], named: Collection[str] = ()) -> None:
        self.installs: list[tuple[int, Install]] = []
        self.arguments: list[Argument] = []
        self._patterns = patterns
        self._named = named
        self._latest: dict[str, Argument] = {}
        self._holding: dict[str, list[Argument]] = {}

    def pass_by(self, number: int, step: Step, installs: Sequence[Install]) -> None:
        """The next step, with the installs of it that count."""
        instruction = step.instruction
        spoken = _words(instruction) if self._latest else set[str]()
        for argument in (self._latest[name] for name in spoken if name in self._latest):
            argument.spoken = number if argument.spoken is None else argument.spoken
        if instruction.keyword == "RUN":
            for argument in (each for name in spoken for each in self._holding.pop(name, ())):
                argument.after = len(self.installs) if argument.after is None else argument.after
            self.installs += [(number, install) for install in installs]
        elif instruction.keyword in ("ENV", "ARG"):
            self._assign(instruction)
        if instruction.keyword == "ARG":
            self._declare(number, instruction)

    def above(self, argument: Argument) -> range:
        """Which of the installs come after it, before a RUN needs it."""
        return range(argument.before, len(self.installs) if argument.after is None else argument.after)

    def _assign(self, instruction: Instruction) -> None:
        """What gets a new value varies where that is made of what does; all values of an ENV are expanded before."""
        values = {name: value for name, value, _ in assignments(instruction) if value is not None}
        made = {name: self._made_of(value) for name, value in values.items()}
        for name, arguments in made.items():
            if arguments:
                self._holding[name] = arguments
            elif name not in self._latest:
                self._holding.pop(name, None)

    def _made_of(self, value: str) -> list[Argument]:
        names = dict.fromkeys(re.findall(_REFERENCE, value))
        return list(islice(dict.fromkeys(each for name in names for each in self._holding.get(name, ())), _MADE_OF))

    def _declare(self, number: int, instruction: Instruction) -> None:
        for name, default, word in assignments(instruction):
            if re.match(_PINNED, default or "") or not self._varies(name):
                continue
            known = self._latest.get(name)
            if known is None or known.after == known.before:
                argument = Argument(name, word.span, number, len(self.installs))
                self.arguments.append(argument)
                self._latest[name] = argument
                self._holding[name] = [*self._holding.get(name, ()), argument]

    def _varies(self, name: str) -> bool:
        return name in self._named or any(fnmatchcase(name.upper(), each) for each in self._patterns)


def _words(instruction: Instruction) -> set[str]:
    """All words that a variable may be called, of its flags, its text and its here-documents."""
    texts = [instruction.value, *(flag.value for flag in instruction.flags)]
    texts += [heredoc.content for heredoc in instruction.heredocs]
    return {word for text in texts for word in re.findall(r"\w+", text)}
