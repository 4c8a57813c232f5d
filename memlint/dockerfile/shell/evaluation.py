"""Walks a script in the order in which it runs, and keeps what is certain on all ways to a command."""

from __future__ import annotations

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.assignments import assign, value_of
from memlint.dockerfile.shell.builtins import DECLARING, EFFECTS
from memlint.dockerfile.shell.nested import NOTHING, Source, nested_script
from memlint.dockerfile.shell.nodes import Branches, Loop, Sequence, Simple, is_test, leaves
from memlint.dockerfile.shell.state import DIRECTORY, EVERYTHING, Budget, State
from memlint.dockerfile.shell.syntax import parse_script
from memlint.dockerfile.shell.tokens import Unparseable
from memlint.dockerfile.shell.values import Command, ShellWord
from memlint.dockerfile.shell.wrappers import unwrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memlint.dockerfile.shell.nested import Nested
    from memlint.dockerfile.shell.nodes import AndOr, Assignment, Function, Node, Pipeline, WordNode
    from memlint.dockerfile.shell.state import Lookup

_MANY = 64
"""Variables that a function sets before a call of it is taken to set any."""
_SHELL_DEPTH = 4
"""Shells in shells that are looked into."""


def parse_shell(
    script: str, environment: Mapping[str, str | None] = NOTHING, directory: str | None = "/"
) -> tuple[Command, ...] | None:
    """The commands of a script, in the order of its text; None when it cannot be parsed as POSIX shell or bash."""
    try:
        return _evaluated(Source(script), script, environment, directory)
    except Unparseable:
        return None


def evaluate_at(
    text: str, source: str, starts: list[int], ends: list[int], environment: Lookup, directory: str | None
) -> tuple[Command, ...] | None:
    """The same for a script inside another text: its characters begin and end there at `starts` and `ends`."""
    try:
        return _evaluated(Source(source, starts, ends), text, environment, directory)
    except Unparseable:
        return None


def _evaluated(source: Source, text: str, environment: Lookup, directory: str | None) -> tuple[Command, ...]:
    evaluation = _Evaluation(source, State(environment, directory, Budget()))
    evaluation.script(text)
    return tuple(evaluation.commands)


class _Evaluation:
    """Walks the syntax tree in the order of execution, and keeps what is certain on all ways to a command."""

    def __init__(self, source: Source, state: State, depth: int = 0) -> None:
        self.source = source
        self.state = state
        self.depth = depth
        self.commands: list[Command] = []
        self.conditional = 0
        self.text = ""
        self.rehearsal = False
        self.loops: dict[int, set[str]] = {}
        self.functions: dict[str, set[str]] = {}
        self.joined = ""

    def script(self, text: str) -> None:
        self.text = text
        self.sequence(parse_script(text), outermost=True)

    def sequence(self, node: Sequence, *, outermost: bool = False) -> None:
        mark = self.state.mark()
        for number, each in enumerate(node.lists, 1):
            self.and_or(each, last=outermost and number == len(node.lists))
            self.joined = each.end
        if node.subshell:
            self.state.rollback(mark)

    def and_or(self, node: AndOr, *, last: bool) -> None:
        state = self.state
        mark = state.mark()
        alternatives = any(operator == "||" for operator, _ in node.pipelines)
        guarded: int | None = None
        self.pipeline(node.pipelines[0][1])
        certain = settled = state.mark()
        moved = DIRECTORY in state.changed(mark)
        for (_, before), (operator, pipeline) in zip(node.pipelines, node.pipelines[1:], strict=False):
            self.joined = operator
            if operator == "||":
                settled = self.alternative(pipeline, settled, moved)
                if leaves(pipeline.commands[-1]):
                    certain = settled
                continue
            if guarded is None and is_test(before):
                guarded = len(self.commands)
            self.pipeline(pipeline)
        if guarded is not None and (alternatives or not last or self.conditional):
            for index in range(guarded, len(self.commands)):
                self.commands[index] = msgspec.structs.replace(self.commands[index], conditional=True)
        if node.end == "&":
            state.rollback(mark)
        elif len(node.pipelines) > 1:
            state.forget_since(certain)

    def alternative(self, pipeline: Pipeline, settled: int, moved: bool) -> int:
        """What follows `||`. When it leaves the script, what comes after it knows that its left side succeeded.

        What the left side changed since `settled` is uncertain in it; the answer is the mark up to which all is
        settled: certain, or forgotten. `moved`: the list began with a `cd`.
        """
        state = self.state
        before = state.mark()
        state.forget(state.changed(settled) | ({DIRECTORY} if moved else set()))
        self.conditional += 1
        self.pipeline(pipeline)
        self.conditional -= 1
        if leaves(pipeline.commands[-1]):
            state.rollback(before)
            return before
        if moved:
            state.assign(DIRECTORY, None)
        state.forget_since(settled)
        return state.mark()

    def pipeline(self, node: Pipeline) -> None:
        if len(node.commands) == 1:
            self.command(node.commands[0])
            return
        for number, command in enumerate(node.commands):
            if number:
                self.joined = "|"
            mark = self.state.mark()
            self.command(command)
            self.state.rollback(mark)

    def command(self, node: Node) -> None:
        if isinstance(node, Simple):
            self.simple(node)
        elif isinstance(node, Sequence):
            self.sequence(node)
        elif isinstance(node, Branches):
            self.branches(node)
        elif isinstance(node, Loop):
            self.loop(node)
        else:
            self.function(node)

    def branches(self, node: Branches) -> None:
        state = self.state
        changed: set[str] = set()
        for number, (condition, body) in enumerate(zip(node.conditions, node.bodies, strict=True)):
            self.conditional += number > 0
            self.sequence(condition)
            self.conditional += number == 0
            mark = state.mark()
            self.sequence(body)
            changed |= state.changed(mark)
            state.rollback(mark)
            self.conditional -= 1
        self.joined = ";"
        state.forget(changed)

    def loop(self, node: Loop) -> None:
        """What a body changes is uncertain from its start on: it may have run before."""
        state = self.state
        if id(node) not in self.loops:
            kept, mark, joined = len(self.commands), state.mark(), self.joined
            rehearsal, self.rehearsal = self.rehearsal, True
            self.round(node)
            self.rehearsal = rehearsal
            self.loops[id(node)] = state.changed(mark)
            state.rollback(mark)
            del self.commands[kept:]
            self.joined = joined
        state.forget(self.loops[id(node)])
        mark = state.mark()
        self.round(node)
        state.forget_since(mark)

    def round(self, node: Loop) -> None:
        if node.variable:
            self.state.assign(node.variable, None)
        self.sequence(node.condition)
        self.conditional += 1
        self.sequence(node.body)
        self.conditional -= 1
        self.joined = ";"

    def function(self, node: Function) -> None:
        """The body runs later, with variables and in a directory that are not known here."""
        state = self.state
        mark = state.mark()
        state.forget((EVERYTHING, DIRECTORY))
        inside = state.mark()
        self.functions.setdefault(node.name, set())
        self.conditional += 1
        self.command(node.body)
        self.conditional -= 1
        self.functions[node.name] |= state.changed(inside)
        state.rollback(mark)
        self.joined = ";"

    # Simple commands

    def simple(self, node: Simple) -> None:
        declares = bool(node.words) and self.text[node.words[0].start : node.words[0].end] in DECLARING
        words: list[ShellWord] = []
        nodes: list[WordNode] = []
        for each in node.words:
            expanded = self.expand(each, declares)
            words += expanded
            nodes += [each] * len(expanded)
        assignments = [(assignment, self.assigned(assignment)) for assignment in node.assignments]
        if words and words[0].text in self.functions:
            names = self.functions[words[0].text or ""]
            words[0] = msgspec.structs.replace(words[0], text=None)
            self.emit(node, words, assignments)
            self.state.forget(names if len(names) <= _MANY else (EVERYTHING, DIRECTORY))
            return
        if not words:
            self.emit(node, words, assignments)
            for assignment, word in assignments:
                assign(self.state, assignment, word.text)
            return
        if not self.see_through(node, words, nodes, assignments):
            self.emit(node, words, assignments)
        self.effects(words)

    def emit(self, node: Simple, words: list[ShellWord], assignments: list[tuple[Assignment, ShellWord]]) -> None:
        start, end = self.source.place(node.start, node.end)
        found = unwrap(words)
        if "xargs" in found.through:
            words = [*words, ShellWord("", None, words[-1].end, words[-1].end)]
            found = unwrap(words)
        self.commands.append(
            Command(
                tuple(words),
                tuple((each.name, word) for each, word in assignments),
                self.joined,
                self.state.directory,
                self.conditional > 0,
                start,
                end,
                found.index,
            )
        )

    def expand(self, node: WordNode, declares: bool) -> list[ShellWord]:
        start, end = self.source.place(node.start, node.end)
        raw = self.source.script[start:end]
        if declares:
            text = self.state.text(node.parts)
            fields = None if text is None else [text]
        else:
            fields = self.state.fields(node)
        if fields is None:
            return [ShellWord(raw, None, start, end, self.state.known(node))]
        if fields == [raw]:
            fields = [raw]  # one string for both, of the very many
        return [ShellWord(raw, field, start, end, field) for field in fields]

    def assigned(self, node: Assignment) -> ShellWord:
        start, end = self.source.place(node.value.start, node.value.end)
        text = value_of(self.state, node, self.text)
        return ShellWord(self.source.script[start:end], text, start, end, text or "")

    # Shells in the script

    def see_through(
        self,
        node: Simple,
        words: list[ShellWord],
        nodes: list[WordNode],
        assignments: list[tuple[Assignment, ShellWord]],
    ) -> bool:
        """Put in the commands of `sh -c SCRIPT` or `sh <<NAME`; False when it is none, or not known."""
        if self.rehearsal or self.depth >= _SHELL_DEPTH:
            return False
        found = nested_script(self.text, self.state, node, words, nodes, assignments)
        return found is not None and self.inner(found)

    def inner(self, script: Nested) -> bool:
        state = State(script.environment, self.state.directory, self.state.budget)
        inner = _Evaluation(self.source.nested(script), state, self.depth + 1)
        inner.joined, inner.conditional = self.joined, self.conditional
        try:
            inner.script(script.text)
        except Unparseable:
            return False
        self.commands += inner.commands
        return True

    # What builtins do to the state

    def effects(self, words: list[ShellWord]) -> None:
        if words[0].text in ("command", "builtin"):
            words = words[1:]
        effect = EFFECTS.get(words[0].text or "") if words else None
        if effect:
            effect(self.state, words[1:])
