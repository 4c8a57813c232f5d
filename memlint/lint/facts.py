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

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memlint.dockerfile.installs import Install
    from memlint.dockerfile.reference import BaseImage
    from memlint.dockerfile.shell import Placed
    from memlint.model.dockerfile import Dockerfile, Instruction, Stage


class Step(msgspec.Struct, frozen=True):
    """An instruction of a stage, and what is known before it runs.

    - `commands`: of RUN, CMD and ENTRYPOINT; None for other instructions and where they cannot be known.
    - `installs`: of RUN.
    - `directory`: by WORKDIR; None where the base image may have set one.
    """

    instruction: Instruction
    environment: Mapping[str, str | None]
    directory: str | None
    commands: tuple[Placed, ...] | None
    installs: tuple[Install, ...]


class StageFacts:
    """A stage. `final`: its layers are in the image of the file: it is the last stage, or an ancestor of that."""

    def __init__(
        self, dockerfile: Dockerfile, stage: Stage, parent: StageFacts | None, final: bool, scopes: Scopes
    ) -> None:
        self._dockerfile = dockerfile
        self._scopes = scopes
        self.stage = stage
        self.parent = parent
        self.final = final
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
    def _walked(self) -> tuple[tuple[Step, ...], str | None, bool]:
        """The steps; the directory and whether a POSIX shell runs the RUNs at their end. The parent's come first."""
        dockerfile = self._dockerfile
        escape = dockerfile.directives.get("escape", "\\")
        directory, posix = self._start()
        steps = []
        for instruction, environment in self._scopes.environments(self.stage):
            steps.append(_step(dockerfile, instruction, environment, directory, posix))
            if instruction.keyword == "WORKDIR":
                directory = join(directory, expand(instruction.value, environment, escape))
            elif instruction.keyword == "SHELL":
                posix = _is_posix([word.text for word in instruction.words])
        return tuple(steps), directory, posix

    def _start(self) -> tuple[str | None, bool]:
        if self.parent is not None:
            _, directory, posix = self.parent._walked
            return directory, posix
        scratch = self.base is not None and self.base.family == "scratch"
        windows = self.base is not None and self.base.family == "windows"
        backquote = self._dockerfile.directives.get("escape") == "`"
        return "/" if scratch else None, not (windows or backquote)


class Facts:
    """A Dockerfile's stages, in their order; the image it builds is that of the last one."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self.dockerfile = dockerfile
        final = _final(dockerfile.stages)
        scopes = Scopes(dockerfile)
        stages: list[StageFacts] = []
        for stage in dockerfile.stages:
            parent = None if stage.parent is None else stages[stage.parent]
            stages.append(StageFacts(dockerfile, stage, parent, stage.index in final, scopes))
        self.stages = tuple(stages)

    @cached_property
    def named(self) -> dict[str, StageFacts]:
        """The stages by their names, in lower case, and by their numbers."""
        named: dict[str, StageFacts] = {}
        for stage in self.stages:
            named.setdefault(str(stage.stage.index), stage)
            named.setdefault((stage.stage.name or "").lower(), stage)
        return named

    @property
    def target(self) -> StageFacts:
        """The last stage."""
        return self.stages[-1]


def facts_of(dockerfile: Dockerfile) -> Facts:
    """The facts, of which nothing is worked out yet."""
    return Facts(dockerfile)


def _final(stages: Sequence[Stage]) -> set[int]:
    found = set()
    at = len(stages) - 1 if stages else None
    while at is not None and at not in found:
        found.add(at)
        at = stages[at].parent
    return found


def _step(
    dockerfile: Dockerfile,
    instruction: Instruction,
    environment: Mapping[str, str | None],
    directory: str | None,
    posix: bool,
) -> Step:
    commands = None
    if posix or instruction.json:
        commands = commands_of(instruction, environment, directory, dockerfile.text)
    installs = installs_in(commands or ()) if instruction.keyword == "RUN" else ()
    return Step(instruction, environment, directory, commands, installs)


def _is_posix(shell: Sequence[str]) -> bool:
    """Whether `SHELL` names a shell that this project reads, if need be behind another program (`conda run …`)."""
    names = [program(word) for word in shell]
    return any(name in SHELLS for name in names) and shell[-1].startswith("-") and "c" in shell[-1]
