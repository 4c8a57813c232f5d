"""Walks a script in the order in which it runs, and keeps what is certain on all ways to a command."""

from __future__ import annotations

import re

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.builtins import DECLARING, EFFECTS
from memlint.dockerfile.shell.state import DIRECTORY, EVERYTHING, Budget, State
from memlint.dockerfile.shell.syntax import (
    Branches,
    Loop,
    Parameter,
    Sequence,
    Simple,
    Unparseable,
    parse_document,
    parse_script,
)
from memlint.dockerfile.shell.values import Command, ShellWord
from memlint.dockerfile.shell.wrappers import SHELLS, program, reads_standard_input, shell_script, unwrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memlint.dockerfile.shell.state import Lookup
    from memlint.dockerfile.shell.syntax import AndOr, Assignment, Function, HereDocument, Node, Pipeline, WordNode

NOTHING: Mapping[str, str | None] = {}
_MANY = 64
"""Variables that a function sets before a call of it is taken to set any."""
_SHELL_DEPTH = 4
"""Shells in shells that are looked into."""


def parse_shell(
    script: str, environment: Mapping[str, str | None] = NOTHING, directory: str | None = "/"
) -> tuple[Command, ...] | None:
    """The commands of a script, in the order of its text; None when it cannot be parsed as POSIX shell or bash."""
    try:
        return _evaluated(_Source(script), script, environment, directory)
    except Unparseable:
        return None


def evaluate_at(
    text: str, source: str, starts: list[int], ends: list[int], environment: Lookup, directory: str | None
) -> tuple[Command, ...] | None:
    """The same for a script inside another text: its characters begin and end there at `starts` and `ends`."""
    try:
        return _evaluated(_Source(source, starts, ends), text, environment, directory)
    except Unparseable:
        return None


def _evaluated(source: _Source, text: str, environment: Lookup, directory: str | None) -> tuple[Command, ...]:
    evaluation = _Evaluation(source, State(environment, directory, Budget()))
    evaluation.script(text)
    return tuple(evaluation.commands)


class _Source(msgspec.Struct, frozen=True):
    """The outermost script, and where in it the characters of a script inside it stand."""

    script: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end:
            here = self.ends[start - 1] if start else (self.starts[0] if self.starts else 0)
            return here, here
        return self.starts[start], self.ends[end - 1]


class _Passed(msgspec.Struct, frozen=True):
    """What a shell inside the script sees: of the outer variables those that were exported to the outer one."""

    state: State
    exported: Lookup
    assigned: dict[str, str | None]

    def get(self, name: str, /) -> str | None:
        if name in self.assigned:
            return self.assigned[name]
        return self.state.get(name) if self.exported.get(name) is not None else None


class _Evaluation:
    """Walks the syntax tree in the order of execution, and keeps what is certain on all ways to a command."""

    def __init__(self, source: _Source, state: State, depth: int = 0) -> None:
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
                continue
            if guarded is None and _is_test(before):
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

        What the left side changed since `settled` is uncertain in it; the answer is the mark up to which nothing is
        certain any more. `moved`: the list began with a `cd`.
        """
        state = self.state
        before = state.mark()
        state.forget(state.changed(settled) | ({DIRECTORY} if moved else set()))
        self.conditional += 1
        self.pipeline(pipeline)
        self.conditional -= 1
        if _leaves(pipeline.commands[-1]):
            state.rollback(before)
            return settled
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
                self.assign(assignment, word.text)
            return
        if not self.see_through(node, words, nodes, assignments):
            self.emit(node, words, assignments)
        self.effects(words)

    def emit(self, node: Simple, words: list[ShellWord], assignments: list[tuple[Assignment, ShellWord]]) -> None:
        start, end = self.source.place(node.start, node.end)
        if "xargs" in unwrap(words).through:
            words = [*words, ShellWord("", None, words[-1].end, words[-1].end)]
        self.commands.append(
            Command(
                tuple(words),
                tuple((each.name, word) for each, word in assignments),
                self.joined,
                self.state.directory,
                self.conditional > 0,
                start,
                end,
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
        return [ShellWord(raw, field, start, end, field) for field in fields]

    def assigned(self, node: Assignment) -> ShellWord:
        start, end = self.source.place(node.value.start, node.value.end)
        text = None
        if node.array is None and not _has_tilde(self.text[node.value.start : node.value.end]):
            text = self.state.text(node.value.parts)
        return ShellWord(self.source.script[start:end], text, start, end, text or "")

    def assign(self, node: Assignment, text: str | None) -> None:
        state = self.state
        name = node.name
        if node.element:
            state.forget((name, f"{name}[@]"))
        elif node.array is not None:
            self.assign_array(node, node.array)
        else:
            if f"{name}[@]" in state.values:
                state.assign(f"{name}[@]", None)
            if node.append:
                old = state.get(name)
                text = None if old is None or text is None else old + text
            state.assign(name, text)

    def assign_array(self, node: Assignment, words: Iterable[WordNode]) -> None:
        old: list[str] | None = []
        if node.append:
            value = self.state.get(f"{node.name}[@]")
            old = None if value is None else value.split("\0")[1:]
        for word in words:
            fields = self.state.fields(word)
            if fields is None or old is None or any(field.startswith("[") or "\0" in field for field in fields):
                old = None
                break
            old += fields
        self.state.assign(node.name, old[0] if old else None)
        self.state.set_array(node.name, old)

    # Shells in the script

    def see_through(
        self,
        node: Simple,
        words: list[ShellWord],
        nodes: list[WordNode],
        assignments: list[tuple[Assignment, ShellWord]],
    ) -> bool:
        """Put in the commands of `sh -c SCRIPT` or `sh <<NAME`; False when it is none, or not known."""
        found = unwrap(words)
        if found.index is None or program(words[found.index].text) not in SHELLS or self.rehearsal:
            return False
        if self.depth >= _SHELL_DEPTH or "xargs" in found.through:
            return False
        arguments = words[found.index + 1 :]
        index = shell_script(arguments)
        if index is not None:
            inner = self.state.spread(nodes[found.index + 1 + index])
            if inner is None or inner[0] != arguments[index].text:
                return False
            text, starts, ends = inner
        elif node.documents and reads_standard_input(arguments):
            inner = self.document(node.documents[-1])
            if inner is None:
                return False
            text, starts, ends = inner
        else:
            return False
        passed = {each.name: word.text for each, word in assignments}
        passed |= dict.fromkeys((word.prefix.partition("=")[0] for word in found.assignments), None)
        return self.inner(text, starts, ends, self.passed(words, found.through, passed))

    def document(self, document: HereDocument) -> tuple[str, list[int], list[int]] | None:
        """The text that a here-document gives, with the places of its characters; None when it is not known."""
        start, end = document.start, document.end
        text = self.text[start:end]
        if document.strip_tabs and (text.startswith("\t") or "\n\t" in text):
            return None
        if not document.expand or not re.search(r"[$`\\]", text):
            return text, list(range(start, end)), list(range(start + 1, end + 1))
        try:
            return self.state.spread(parse_document(self.text, start, end))
        except Unparseable:
            return None

    def passed(self, words: list[ShellWord], through: tuple[str, ...], assigned: dict[str, str | None]) -> Lookup:
        cleared = "sudo" in through or ("env" in through and any(word.text in ("-i", "-") for word in words))
        return NOTHING if cleared or "doas" in through else _Passed(self.state, self.state.environment, assigned)

    def inner(self, text: str, starts: list[int], ends: list[int], environment: Lookup) -> bool:
        source = self.source
        if source.starts is not None and source.ends is not None:
            starts = [source.place(start, start + 1)[0] for start in starts]
            ends = [source.place(end - 1, end)[1] for end in ends]
        state = State(environment, self.state.directory, self.state.budget)
        inner = _Evaluation(_Source(source.script, starts, ends), state, self.depth + 1)
        inner.joined, inner.conditional = self.joined, self.conditional
        try:
            inner.script(text)
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


def _is_test(node: Pipeline) -> bool:
    """Whether it asks rather than does."""
    command = node.commands[-1]
    if node.negated or not isinstance(command, Simple):
        return node.negated
    word = command.words[0] if command.words else None
    text = word.parts[0] if word and len(word.parts) == 1 else None
    return getattr(text, "text", None) in ("[", "[[", "test", "((")


def _leaves(node: Node) -> bool:
    """Whether the script ends with this command."""
    if isinstance(node, Sequence):
        return bool(
            not node.subshell
            and node.lists
            and node.lists[-1].end == ";"
            and len(node.lists[-1].pipelines) == 1
            and _leaves(node.lists[-1].pipelines[0][1].commands[-1])
        )
    if not isinstance(node, Simple) or not node.words:
        return False
    part = node.words[0].parts[0]
    return not isinstance(part, Parameter) and getattr(part, "text", "") in ("exit", "return")


def _has_tilde(raw: str) -> bool:
    return raw.startswith("~") or ":~" in raw
