"""What many checks need of a Dockerfile, worked out once and only when asked for."""

from __future__ import annotations

from functools import cached_property

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.expand import expand
from memlint.dockerfile.installs import installs_in
from memlint.dockerfile.reference import parse_base
from memlint.dockerfile.scope import Scopes
from memlint.dockerfile.shell import SHELLS, commands_of, join, program
from memlint.lint.targets import leaves_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.dockerfile.reference import BaseImage
    from memlint.dockerfile.shell import Placed
    from memlint.model.dockerfile import Dockerfile, Instruction, Stage


class Step(msgspec.Struct, frozen=True):
    """An instruction of a stage, and what is known before it runs.

    - `commands`: of RUN, CMD and ENTRYPOINT; None for other instructions and where they cannot be known.
    - `installs`: of RUN.
    - `directory`: by WORKDIR; None where the base image may have set one.
    - `escape`: the escape character of its Dockerfile.
    - `on_build`: it is what an ONBUILD holds, and runs where an image is built on this one.
    """

    instruction: Instruction
    environment: Mapping[str, str | None]
    directory: str | None
    commands: tuple[Placed, ...] | None
    installs: tuple[Install, ...]
    escape: str
    on_build: bool

    def expanded(self, text: str) -> str | None:
        """Words of the instruction as the build takes them; None where a variable is not known."""
        return expand(text, self.environment, self.escape)


class _State(msgspec.Struct, frozen=True):
    """What holds when an instruction begins: the directory, and whether a POSIX shell runs the RUNs."""

    directory: str | None
    posix: bool


class StageFacts:
    """A stage."""

    def __init__(self, dockerfile: Dockerfile, stage: Stage, parent: StageFacts | None, scopes: Scopes) -> None:
        self._dockerfile = dockerfile
        self._scopes = scopes
        self.stage = stage
        self.parent = parent
        self._lowest = None if parent is None else parent.lowest

    @property
    def lowest(self) -> StageFacts:
        """The one of its lineage that stands on an image from outside."""
        return self._lowest or self

    @cached_property
    def base(self) -> BaseImage | None:
        """The image from outside that the stage stands on, through the stages between; None when it is not known."""
        if self.parent is not None:
            return self.lowest.base
        return None if self.stage.base is None else parse_base(self.stage.base)

    @property
    def lineage(self) -> tuple[StageFacts, ...]:
        """The stages whose layers the stage has, from the one on the base image to the stage itself."""
        return self.above(lambda _: False)

    def above(self, known: Callable[[StageFacts], bool]) -> tuple[StageFacts, ...]:
        """Those of its lineage down to the first that is known, without that one: what a chain is still to be asked."""
        found: list[StageFacts] = []
        stage: StageFacts | None = self
        while stage is not None and not known(stage):
            found.append(stage)
            stage = stage.parent
        return tuple(reversed(found))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its instructions without the FROM."""
        unwalked = self.above(lambda each: "_walked" in vars(each))
        return [stage._walked for stage in (*unwalked, self)][-1][0]  # a long chain is too deep for recursion

    @property
    def triggered(self) -> tuple[Step, ...]:
        """What its ONBUILDs let run first of all in an image that is built on it."""
        return self._triggered[0] if self.steps else ()

    @property
    def programs(self) -> frozenset[str] | None:
        """The names of all programs that it and the stages below it run; None without instructions."""
        unasked = self.above(lambda each: "_programs" in vars(each))
        return [stage._programs for stage in (*unasked, self)][-1]

    @cached_property
    def _programs(self) -> frozenset[str] | None:
        below = None if self.parent is None else self.parent._programs
        names = {placed.command.name or "" for step in self.steps for placed in step.commands or ()}
        if not self.steps or (below is not None and names <= below):
            return below
        return frozenset(names) if below is None else below | names

    @cached_property
    def _walked(self) -> tuple[tuple[Step, ...], _State]:
        """The steps, and what holds at their end. The parent's come first."""
        return _walk(self._dockerfile, self._scopes.environments(self.stage), self._start(), on_build=False)

    @cached_property
    def _triggered(self) -> tuple[tuple[Step, ...], _State]:
        """The same for what its ONBUILDs hold."""
        state = self._walked[1]
        if not any(instruction.on_build for instruction in self.stage.instructions):
            return (), state
        return _walk(self._dockerfile, self._scopes.triggers(self.stage), state, on_build=True)

    def _start(self) -> _State:
        if self.parent is not None:
            return self.parent._triggered[1]
        family = None if self.base is None else self.base.family
        backquote = self._dockerfile.directives.get("escape") == "`"  # of Windows, where the base does not tell
        return _State("/" if family == "scratch" else None, family != "windows" and not (family is None and backquote))


class Facts:
    """A Dockerfile's stages, in their order."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.dockerfile = dockerfile
        scopes = Scopes(dockerfile)
        stages: list[StageFacts] = []
        for stage in dockerfile.stages:
            parent = None if stage.parent is None else stages[stage.parent]
            stages.append(StageFacts(dockerfile, stage, parent, scopes))
        self.stages = tuple(stages)

    @cached_property
    def named(self) -> dict[str, StageFacts]:
        """The stages by their names, in lower case, and by their numbers; of one name the last, as for BuildKit."""
        names = {stage.stage.name: stage for stage in self.stages if stage.stage.name is not None}
        return names | {str(stage.stage.index): stage for stage in self.stages}

    @property
    def target(self) -> StageFacts:
        """The last stage, which is built when no target is named."""
        return self.stages[-1]

    @cached_property
    def leaves(self) -> tuple[Stage, ...]:
        """The stages that are built by their names, as far as the file itself tells."""
        return leaves_of(self.dockerfile.stages)


def facts_of(dockerfile: Dockerfile) -> Facts:
    """The facts, of which nothing is worked out yet."""
    return Facts(dockerfile)


def _walk(
    dockerfile: Dockerfile,
    instructions: Iterable[tuple[Instruction, Mapping[str, str | None]]],
    state: _State,
    *,
    on_build: bool,
) -> tuple[tuple[Step, ...], _State]:
    steps = []
    for instruction, environment in instructions:
        step = _step(dockerfile, instruction, environment, state, on_build)
        steps.append(step)
        if instruction.keyword == "WORKDIR":
            state = _State(join(state.directory, step.expanded(instruction.value)), state.posix)
        elif instruction.keyword == "SHELL":
            state = _State(state.directory, _is_posix([word.text for word in instruction.words]))
    return tuple(steps), state


def _step(
    dockerfile: Dockerfile,
    instruction: Instruction,
    environment: Mapping[str, str | None],
    state: _State,
    on_build: bool,
) -> Step:
    commands = None
    if state.posix or instruction.json:
        commands = commands_of(instruction, environment, state.directory, dockerfile.text)
    installs = installs_in(commands or ()) if instruction.keyword == "RUN" else ()
    escape = dockerfile.directives.get("escape", "\\")
    return Step(instruction, environment, state.directory, commands, installs, escape, on_build)


def _is_posix(shell: Sequence[str]) -> bool:
    """Whether `SHELL` names a shell that this project reads, if need be behind another program (`conda run …`)."""
    names = [program(word) for word in shell]
    return any(name in SHELLS for name in names) and shell[-1].startswith("-") and "c" in shell[-1]
