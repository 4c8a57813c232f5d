"""Which variables are in force where, by BuildKit's rules for ARG, ENV, stages and what is predefined.

- An ARG before the first FROM is global: FROM lines see it, a stage only where it declares the name again.
- In a stage, ARG takes the build argument, else its default, else the global value; it and ENV set the same variables,
  whichever comes last wins. All variables of ENV are expanded by what held before it, ARG goes from one to the next.
- A stage from another stage inherits all of them, with the values of ENV on top of those of ARG, and runs its triggers.
- What a foreign base image sets is not known, nor are the platforms unless they are passed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property

from memlint.dockerfile.expand import expand, expand_noting
from memlint.dockerfile.words import assignments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memlint.model.dockerfile import Dockerfile, Instruction, Stage

PLATFORM_ARGS = (
    *("BUILDPLATFORM", "BUILDOS", "BUILDOSVERSION", "BUILDARCH", "BUILDVARIANT"),
    *("TARGETPLATFORM", "TARGETOS", "TARGETOSVERSION", "TARGETARCH", "TARGETVARIANT", "TARGETSTAGE"),
)
PROXY_ARGS = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
_PROXIES = frozenset((*PROXY_ARGS, *map(str.lower, PROXY_ARGS)))


class Variables(Mapping[str, "str | None"]):
    """The variables at one instruction; a value is None where it is not known.

    `variables[name]` is also None where the base image may have set the name; it is a KeyError where the name is
    certainly unset. `in`, `len` and iteration know the names that the Dockerfile itself sets.
    """

    __slots__ = ("_history", "_overlay", "_time", "foreign")

    def __init__(
        self, history: dict[str, list[tuple[int, str | None]]], time: int, foreign: bool, overlay: dict[str, str]
    ) -> None:
        self._history = history  # of the whole stage, shared by all its instructions
        self._time = time
        self._overlay = overlay
        self.foreign = foreign

    def _past(self, name: str) -> str | None:
        """KeyError for a name that the Dockerfile has not set so far."""
        past = self._history.get(name, ())
        at = bisect_left(past, (self._time + 1,))
        return past[at - 1][1] if at else self._overlay[name]

    def __getitem__(self, name: str) -> str | None:
        try:
            return self._past(name)
        except KeyError:
            # PATH has a default, and who builds may have set a proxy
            if self.foreign or name == "PATH" or name in _PROXIES:
                return None
            raise

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        try:
            self._past(name)
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return (name for name in {**self._history, **self._overlay} if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Globals:
    """The ARGs before the first FROM, as FROM lines and the ARGs of stages see them."""

    def __init__(self, preamble: Iterable[Instruction], build_args: Mapping[str, str], escape: str) -> None:
        self.build_args = build_args
        self.escape = escape
        self.values: dict[str, str | None] = {name: build_args.get(name) for name in PLATFORM_ARGS}
        self._empty: set[str] = set()
        for instruction in preamble:
            for name, default, _ in assignments(instruction) if instruction.keyword == "ARG" else ():
                if name in build_args:
                    self.values[name] = build_args[name]
                elif default is not None:
                    self.values[name] = expand(default, self.values, escape)
                elif name not in self.values:
                    self._empty.add(name)

    def expand(self, text: str) -> str | None:
        """An argument of FROM. Not known where it takes an ARG that is to be passed and was not."""
        expanded, unset = expand_noting(text, self.values, self.escape)
        return None if unset & self._empty else expanded


class Scope:
    """The variables of one stage while its instructions pass by, those of ONBUILD in the stage below first of all.

    `parent` is the finished scope of that one.
    """

    def __init__(self, of_file: Globals, base: str | None, parent: Scope | None) -> None:
        self._globals = of_file
        self._history: dict[str, list[tuple[int, str | None]]] = {}
        self._time = 0
        self._foreign: bool = parent._foreign if parent else base != "scratch"
        self._image: dict[str, str | None] = dict(parent._image) if parent else {}
        self.triggers: list[Instruction] = []
        """What the ONBUILDs so far hold."""
        if parent:
            self._history = {name: [(0, value)] for name, value in {**parent.values(), **parent._image}.items()}

    def values(self) -> dict[str, str | None]:
        """What ARG and ENV have set so far."""
        return {name: past[-1][1] for name, past in self._history.items()}

    def variables(self, overlay: dict[str, str] | None = None) -> Variables:
        """Those in force now."""
        return Variables(self._history, self._time, self._foreign, overlay or {})

    def before(self, instruction: Instruction) -> Variables:
        """Those in force when the instruction begins; RUN also sees the proxies that were passed."""
        return self.variables(self._proxies() if instruction.keyword == "RUN" else None)

    def run(self, instruction: Instruction) -> None:
        """Lets an instruction set its variables."""
        if instruction.keyword == "ENV":
            self._env(instruction)
        elif instruction.keyword == "ARG":
            for name, default, _ in assignments(instruction):
                self._arg(name, default)
        elif instruction.on_build:
            self.triggers.append(instruction.on_build)

    def _set(self, name: str, value: str | None) -> None:
        past = self._history.setdefault(name, [])
        if past and past[-1][0] == self._time:
            past.pop()
        past.append((self._time, value))

    def _env(self, instruction: Instruction) -> None:
        before, escape = self.variables(), self._globals.escape
        self._time += 1
        for name, value, _ in assignments(instruction):
            key = expand(name, before, escape)
            if key is not None:
                self._set(key, expand(value or "", before, escape))
                self._image[key] = self._history[key][-1][1]

    def _arg(self, name: str, default: str | None) -> None:
        of_file = self._globals
        if name in of_file.build_args:
            value: str | None = of_file.build_args[name]
        elif default is not None:
            value = expand(default, self.variables(), of_file.escape)
        elif name in of_file.values:
            value = of_file.values[name]
        elif name in self._history:
            return
        else:
            value = None  # to be passed
        self._time += 1
        self._set(name, value)

    def _proxies(self) -> dict[str, str]:
        passed = {name.upper(): value for name, value in self._globals.build_args.items() if name.upper() in PROXY_ARGS}
        return {case: value for name, value in passed.items() if value for case in (name, name.lower())}


def begun(of_file: Globals, base: str | None, parent: Scope | None) -> Scope:
    """The scope of a stage, after what the one below lets run in it."""
    scope = Scope(of_file, base, parent)
    for trigger in parent.triggers if parent else ():
        scope.run(trigger)
    return scope


class Scopes:
    """Those of a Dockerfile's stages: each is made once, however many stages are built on it."""

    def __init__(self, dockerfile: Dockerfile) -> None:
        self._dockerfile = dockerfile
        self._finished: dict[int, Scope] = {}

    @cached_property
    def _of_file(self) -> Globals:
        dockerfile = self._dockerfile
        return Globals(dockerfile.preamble, dockerfile.build_args, dockerfile.directives.get("escape", "\\"))

    def environments(self, stage: Stage) -> Iterator[tuple[Instruction, Mapping[str, str | None]]]:
        """Each instruction of a stage, with the variables in force before it."""
        self._finish(self._unfinished(stage))
        scope = self._begun(stage)
        for instruction in stage.instructions:
            yield instruction, scope.before(instruction)
            scope.run(instruction)
        self._finished[stage.index] = scope

    def triggers(self, stage: Stage) -> Iterator[tuple[Instruction, Mapping[str, str | None]]]:
        """Each instruction that an ONBUILD of a stage holds, with the variables in force before it where it runs."""
        if stage.index not in self._finished:
            self._finish([*self._unfinished(stage), stage])
        parent = self._finished[stage.index]
        scope = Scope(self._of_file, stage.base, parent)
        for trigger in parent.triggers:
            yield trigger, scope.before(trigger)
            scope.run(trigger)

    def _finish(self, stages: Iterable[Stage]) -> None:
        for stage in stages:
            scope = self._begun(stage)
            for instruction in stage.instructions:
                scope.run(instruction)
            self._finished[stage.index] = scope

    def _begun(self, stage: Stage) -> Scope:
        return begun(self._of_file, stage.base, None if stage.parent is None else self._finished[stage.parent])

    def _unfinished(self, stage: Stage) -> list[Stage]:
        """The stages that a stage is built on, from the first of those whose scope is not there yet."""
        found: list[Stage] = []
        while stage.parent is not None and stage.parent not in self._finished:
            stage = self._dockerfile.stages[stage.parent]
            found.append(stage)
        return found[::-1]


def environments(dockerfile: Dockerfile, stage: Stage) -> Iterator[tuple[Instruction, Mapping[str, str | None]]]:
    """Each instruction of one stage, with the variables in force before it."""
    return Scopes(dockerfile).environments(stage)
