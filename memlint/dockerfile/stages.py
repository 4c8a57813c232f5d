"""Instructions into stages, and what they are based on."""

from __future__ import annotations

import re

from memlint.dockerfile.command import shown
from memlint.dockerfile.scope import Globals, begun
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Instruction, Stage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from memlint.dockerfile.scope import Scope

MOST_VARIABLES = 1_000_000
"""In all stages together, the inherited ones counted in each; what ONBUILD sets counts as often as it runs."""

_NAME = r"[a-z][a-z0-9-_.]*\Z"
_VARIABLE = r"\$(?:\w+|\{[^{}]*\})"
_FROM_FIELD = r"(?i)(?:^|,)\s*\"?from=([^,\"]*)"


def build_stages(
    instructions: tuple[Instruction, ...], build_args: Mapping[str, str], escape: str
) -> tuple[tuple[Instruction, ...], tuple[Stage, ...]]:
    """What precedes the first FROM, and the stages."""
    starts = [index for index, each in enumerate(instructions) if each.keyword == "FROM"]
    preamble = instructions[: starts[0]] if starts else instructions
    _check_preamble(preamble)
    if not starts:
        raise DockerfileError("no FROM, so no image", "begin a stage with FROM")
    of_file = Globals(preamble, build_args, escape)
    stages: list[Stage] = []
    scopes: list[Scope] = []
    names: dict[str, int] = {}
    variables = 0
    for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
        stage, scope = _stage(instructions[start:end], of_file, names, scopes)
        variables += len(stage.environment)
        variables += len(scopes[stage.parent].triggers) if stage.parent is not None else 0
        if variables > MOST_VARIABLES:
            raise DockerfileError("too many variables", "split the Dockerfile", stage.source.span.line)
        stages.append(stage)
        scopes.append(scope)
        if stage.name is not None:
            names[stage.name] = stage.index
    _refuse_cycles(stages, names)
    return preamble, tuple(stages)


def _check_preamble(preamble: tuple[Instruction, ...]) -> None:
    for instruction in preamble:
        if instruction.keyword != "ARG":
            message = f"{instruction.keyword} before the first FROM"
            raise DockerfileError(message, "only ARG may stand there", instruction.span.line)


def _stage(
    instructions: tuple[Instruction, ...], of_file: Globals, names: dict[str, int], scopes: list[Scope]
) -> tuple[Stage, Scope]:
    source, *rest = instructions
    name = _name(source)
    platform = source.flag("platform")
    base = of_file.expand(source.words[0].text) or None
    # a stage never is its own base: its name is not yet taken
    parent = names.get(base) if base is not None else None
    scope = begun(of_file, base, scopes[parent] if parent is not None else None)
    for instruction in rest:
        scope.run(instruction)
    stage = Stage(
        index=len(scopes),
        name=name,
        base=base,
        base_span=source.words[0].span,
        platform=of_file.expand(platform.value) or None if platform else None,
        parent=parent,
        instructions=tuple(rest),
        source=source,
        environment=scope.values(),
    )
    return stage, scope


def _name(source: Instruction) -> str | None:
    """The stage's name, in lower case."""
    words = [word.text for word in source.words]
    if len(words) == 1:
        return None
    if len(words) != 3 or words[1].lower() != "as":
        raise DockerfileError("FROM takes one image, or `image AS name`", "write FROM image AS name", source.span.line)
    name = words[2].lower()
    if not re.match(_NAME, name):
        message = f"{shown(words[2])} is no name for a stage"
        raise DockerfileError(message, "begin it with a letter; use letters, digits, - _ .", source.span.line)
    return name


def _refuse_cycles(stages: list[Stage], names: dict[str, int]) -> None:
    """Stages may copy from and mount others, but not in a circle."""
    needs = [dict(_needs(stage, names, len(stages))) for stage in stages]
    done: set[int] = set()
    for root in range(len(stages)):
        path: dict[int, Iterator[int]] = {root: iter(needs[root])} if root not in done else {}
        while path:
            current = next(reversed(path))
            following = next(path[current], None)
            if following is None:
                path.popitem()
                done.add(current)
            elif following in path:
                source = needs[current][following]
                message = f"stage {_label(stages[following])} needs itself, by way of {source.keyword}"
                raise DockerfileError(message, "copy from an earlier stage", source.span.line)
            elif following not in done:
                path[following] = iter(needs[following])


def _label(stage: Stage) -> str:
    return stage.name or str(stage.index)


def _needs(stage: Stage, names: dict[str, int], count: int) -> Iterator[tuple[int, Instruction]]:
    """The stages that a stage copies from or mounts, each with an instruction that does."""
    for instruction in stage.instructions:
        for reference in _references(instruction):
            index = int(reference) if reference.isdecimal() and len(reference) < 9 else names.get(reference.lower())
            if index is not None and index < count:
                yield index, instruction


def _references(instruction: Instruction) -> Iterator[str]:
    for flag in instruction.flags:
        if instruction.keyword == "COPY" and flag.name == "from":
            yield flag.value
        elif instruction.keyword == "RUN" and flag.name == "mount":
            yield from re.findall(_FROM_FIELD, flag.value)


def unused_stages(stages: Sequence[Stage], harmless: Collection[int] = ()) -> tuple[Stage, ...]:
    """The stages that no other one is built on, copies from or mounts; what those of numbers `harmless` copy is no use.

    A name with a variable in it may mean any stage that it fits: a build argument decides.
    """
    names = {stage.name: stage.index for stage in stages if stage.name is not None}
    used = {stage.parent for stage in stages}
    written: set[str] = set()
    for stage in stages:
        each = (instruction.on_build or instruction for instruction in stage.instructions)
        references = set()
        if stage.index not in harmless:
            references = {reference.lower() for instruction in each for reference in _references(instruction)}
        used |= {int(name) if name.isdecimal() and len(name) < 9 else names.get(name) for name in references}
        base = stage.source.words[0].text.lower()
        written |= {name for name in (*references, base) if "$" in name}
    fitting = [re.compile(pattern) for name in written if (pattern := _pattern(name))]
    return tuple(
        stage
        for stage in stages
        if stage.index not in used and not any(stage.name and each.fullmatch(stage.name) for each in fitting)
    )


def _pattern(name: str) -> str | None:
    """What the names of stages look like that a name with variables fits; None when it is nothing but variables."""
    literal = re.split(_VARIABLE, name)
    return ".*".join(re.escape(part) for part in literal) if any(literal) else None
