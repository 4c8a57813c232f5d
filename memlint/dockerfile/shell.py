"""The commands of a RUN: what runs, after what, in which directory, with which words; never a guess.

A word whose text is None is one that only the build knows. Of a glob the pattern is the text. `sh -c '…'` is replaced by
the commands of its script, and so is a here-document that a shell reads.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell_state import DIRECTORY, EVERYTHING, Budget, State
from memlint.dockerfile.shell_syntax import (
    AndOr,
    Branches,
    Function,
    Loop,
    Parameter,
    Sequence,
    Simple,
    Unparseable,
    parse_script,
)
from memlint.dockerfile.shell_wrappers import (
    SHELLS,
    program,
    reads_standard_input,
    shell_script,
    unwrap,
)
from memlint.model.dockerfile import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from memlint.dockerfile.shell_state import Lookup
    from memlint.dockerfile.shell_syntax import Assignment, Node, Pipeline, WordNode
    from memlint.model.dockerfile import Heredoc, Instruction


class ShellWord(msgspec.Struct, frozen=True):
    """A word after its expansion: `raw` is the script from `start` to `end`.

    `text` is None where it cannot be known; it may then be any number of words. `prefix` is what is known of its start.
    A variable that holds several words gives as many with the same place. What xargs appends is an empty `raw`.
    """

    raw: str
    text: str | None
    start: int
    end: int
    prefix: str = ""


class Command(msgspec.Struct, frozen=True):
    """A simple command.

    - `joined`: what stands between it and the one before: "" for the first, "&&", "||", ";" (or a new line), "|", "&".
    - `directory`: where it runs, after the `cd`s before it; None when unknown.
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

    @property
    def program(self) -> int | None:
        """The index in `words` of the program that the wrappers before it (`env`, `sudo`, `exec`, `time` …) run."""
        return unwrap(self.words).index

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


class Placed(msgspec.Struct, frozen=True):
    """A command and its place in the file; `word_spans` are those of its words."""

    command: Command
    span: Span
    word_spans: tuple[Span, ...]

    @property
    def arguments(self) -> tuple[tuple[ShellWord, Span], ...]:
        """The command's arguments, each with its place."""
        index = self.command.program
        words = self.command.words
        return () if index is None else tuple(zip(words, self.word_spans, strict=True))[index + 1 :]


NOTHING: Mapping[str, str | None] = {}
_SHELL_DEPTH = 4
"""Shells in shells that are looked into."""


def parse_shell(
    script: str, environment: Mapping[str, str | None] = NOTHING, directory: str | None = "/"
) -> tuple[Command, ...] | None:
    """The commands of a script, in the order of its text; None when it cannot be parsed as POSIX shell or bash."""
    try:
        evaluation = _Evaluation(_Source(script), State(environment, directory, Budget()))
        evaluation.script(script)
    except Unparseable:
        return None
    return tuple(evaluation.commands)


class _Source(msgspec.Struct, frozen=True):
    """The outermost script, and where in it the characters of a script inside it stand."""

    script: str
    starts: list[int] | range | None = None
    ends: list[int] | range | None = None

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
        first = len(self.commands)
        alternatives = any(operator == "||" for operator, _ in node.pipelines)
        guarded: int | None = None
        self.pipeline(node.pipelines[0][1])
        certain = state.mark()
        for (_, before), (operator, pipeline) in zip(node.pipelines, node.pipelines[1:], strict=False):
            self.joined = operator
            if operator == "||":
                self.alternative(pipeline, mark, certain)
                continue
            if guarded is None and _is_test(before):
                guarded = len(self.commands)
            self.pipeline(pipeline)
        if guarded is not None and guarded >= first and (alternatives or not last or self.conditional):
            for index in range(guarded, len(self.commands)):
                self.commands[index] = msgspec.structs.replace(self.commands[index], conditional=True)
        if node.end == "&":
            state.rollback(mark)
        elif len(node.pipelines) > 1:
            state.forget_since(certain)

    def alternative(self, pipeline: Pipeline, mark: int, certain: int) -> None:
        """What follows `||`. When it leaves the script, what comes after it knows that its left side succeeded."""
        state = self.state
        before = state.mark()
        state.forget(state.changed(certain))
        self.conditional += 1
        self.pipeline(pipeline)
        self.conditional -= 1
        if _leaves(pipeline.commands[-1]):
            state.rollback(before)
            return
        if DIRECTORY in state.changed(mark):
            state.set(DIRECTORY, None)
        state.forget_since(certain)

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
            self.state.set(node.variable, None)
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
        declares = bool(node.words) and self.text[node.words[0].start : node.words[0].end] in _DECLARING
        words: list[ShellWord] = []
        nodes: list[WordNode] = []
        for each in node.words:
            expanded = self.expand(each, declares)
            words += expanded
            nodes += [each] * len(expanded)
        assignments = [(each, self.assigned(each)) for each in node.assignments]
        if words and words[0].text in self.functions:
            names = self.functions[words[0].text or ""]
            words[0] = msgspec.structs.replace(words[0], text=None)
            self.emit(node, words, assignments)
            self.state.forget(names)
            return
        if not words:
            self.emit(node, words, assignments)
            for each, word in assignments:
                self.assign(each, word.text)
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
                state.set(f"{name}[@]", None)
            if node.append:
                old = state.get(name)
                text = None if old is None or text is None else old + text
            state.set(name, text)

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
        self.state.set(node.name, old[0] if old else None)
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
            document = node.documents[-1]
            text = self.text[document.start : document.end]
            if document.strip_tabs or (document.expand and re.search(r"[$`\\]", text)):
                return False
            starts = list(range(document.start, document.end))
            ends = list(range(document.start + 1, document.end + 1))
        else:
            return False
        passed = {each.name: word.text for each, word in assignments}
        passed |= dict.fromkeys((word.prefix.partition("=")[0] for word in found.assignments), None)
        return self.inner(text, starts, ends, self.passed(words, found.through, passed))

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
        effect = _EFFECTS.get(words[0].text or "") if words else None
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


def _change_directory(state: State, arguments: list[ShellWord]) -> None:
    operands = [word for word in arguments if word.text not in ("-P", "-L", "-e", "-@", "--")]
    if not operands:
        target = state.get("HOME")
    elif len(operands) == 1 and operands[0].text not in ("-", ""):
        target = operands[0].text
    else:
        target = None
    state.set("OLDPWD", state.directory)
    state.set(DIRECTORY, join(state.directory, target))


def join(directory: str | None, target: str | None) -> str | None:
    """Where `cd target` leads from there."""
    if target is None or re.search(r"[*?\[]", target):
        return None
    if target.startswith("/"):
        return posixpath.normpath("/" + target.lstrip("/"))
    return None if directory is None else posixpath.normpath(posixpath.join(directory, target))


def _lose_directory(state: State, _: list[ShellWord]) -> None:
    state.set(DIRECTORY, None)


def _push_directory(state: State, arguments: list[ShellWord]) -> None:
    if len(arguments) == 1 and (arguments[0].text or "+")[0] not in "+-":
        _change_directory(state, arguments)
    else:
        state.set(DIRECTORY, None)


def _declare(state: State, arguments: list[ShellWord]) -> None:
    plain = True
    for word in arguments:
        if word.text is not None and word.text[:1] in ("-", "+"):
            plain = plain and set(word.text[1:]) <= set("xrg")
            continue
        name, equals, value = (word.text if word.text is not None else word.prefix).partition("=")
        if equals or not plain:
            append = name.endswith("+")
            state.set(name.removesuffix("+"), value if word.text is not None and plain and not append else None)
        elif word.text is None:
            state.forget_all()


def _local(state: State, arguments: list[ShellWord]) -> None:
    _declare(state, arguments)
    state.forget(word.text for word in arguments if word.text and "=" not in word.text and word.text[0] != "-")


def _set_names(state: State, arguments: list[ShellWord]) -> None:
    """`read`, `unset` and their kin: the names among the arguments have other values now."""
    for word in arguments:
        if word.text is None:
            state.forget_all()
        elif word.text[:1] != "-":
            name = re.split(r"[^A-Za-z0-9_]", word.text, maxsplit=1)[0]
            state.forget((name, f"{name}[@]"))
    if any("a" in (word.text or "") for word in arguments if (word.text or "").startswith("-")):
        state.forget(f"{word.text}[@]" for word in arguments if word.text)


def _printf(state: State, arguments: list[ShellWord]) -> None:
    if arguments and arguments[0].text == "-v":
        _set_names(state, arguments[1:2])


def _evaluate(state: State, _: list[ShellWord]) -> None:
    state.forget((EVERYTHING, DIRECTORY))


def _source(state: State, arguments: list[ShellWord]) -> None:
    """A file that is read into the shell may set anything; of some it is known what."""
    name = program(arguments[0].text) if arguments else None
    if name in _SOURCED:
        state.forget(_SOURCED[name])
    else:
        state.forget_all()


_SOURCED = {
    "activate": ("PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PS1", "PYTHONHOME"),
    "os-release": tuple(
        "NAME PRETTY_NAME ID ID_LIKE VERSION VERSION_ID VERSION_CODENAME UBUNTU_CODENAME DEBIAN_VERSION_FULL CPE_NAME"
        " HOME_URL SUPPORT_URL BUG_REPORT_URL DOCUMENTATION_URL PRIVACY_POLICY_URL LOGO ANSI_COLOR VARIANT VARIANT_ID"
        " BUILD_ID IMAGE_ID IMAGE_VERSION PLATFORM_ID SUPPORT_END SUPPORT_LEVEL VENDOR_NAME VENDOR_URL".split()
    ),
}


def _set(state: State, arguments: list[ShellWord]) -> None:
    """`set -- a b` gives the positional parameters."""
    texts = [word.text for word in arguments]
    if "--" in texts:
        texts = texts[texts.index("--") + 1 :]
    elif not texts or (texts[0] or "-")[0] in "-+":
        if None in texts:
            state.set("[@]", None)
        return
    known = [text for text in texts if text is not None and "\0" not in text]
    state.set_array("", known if len(known) == len(texts) else None)


def _shift(state: State, _: list[ShellWord]) -> None:
    state.set("[@]", None)


_DECLARING = frozenset(("export", "readonly", "declare", "typeset", "local"))
_EFFECTS: dict[str, Callable[[State, list[ShellWord]], None]] = {
    "cd": _change_directory,
    "chdir": _change_directory,
    "pushd": _push_directory,
    "popd": _lose_directory,
    "export": _declare,
    "readonly": _declare,
    "declare": _declare,
    "typeset": _declare,
    "local": _local,
    "unset": _set_names,
    "read": _set_names,
    "mapfile": _set_names,
    "readarray": _set_names,
    "getopts": _set_names,
    "let": _set_names,
    "printf": _printf,
    "eval": _evaluate,
    "source": _source,
    ".": _source,
    "set": _set,
    "shift": _shift,
}


# From the instruction to its commands


def commands_of(
    instruction: Instruction,
    environment: Mapping[str, str | None],
    directory: str | None = "/",
    text: str | None = None,
) -> tuple[Placed, ...] | None:
    """The commands of a RUN, a CMD or an ENTRYPOINT, in any of their forms; None when they cannot be known.

    `text` is the file: with it, places in a here-document whose tabs were stripped are exact.
    """
    if instruction.keyword not in ("RUN", "CMD", "ENTRYPOINT"):
        return None
    if instruction.json:
        return _executed(instruction, environment, directory)
    script = _script(instruction, text)
    if script is None:
        return None
    commands = parse_shell(script.text, environment, directory)
    return None if commands is None else tuple(_placed(command, script.span) for command in commands)


class _Script(msgspec.Struct, frozen=True):
    """The text a shell gets, and the place of its pieces: value first, or here-documents, each from an offset on."""

    text: str
    instruction: Instruction
    offsets: tuple[int, ...]
    """Of lines of here-documents; before the first of them stands the instruction's value."""
    places: tuple[tuple[int, int], ...]

    def at(self, offset: int) -> tuple[int, int]:
        part = bisect_right(self.offsets, offset) - 1
        if part < 0:
            return self.instruction.at(offset)
        line, column = self.places[part]
        return line, column + offset - self.offsets[part]

    def span(self, start: int, end: int) -> Span:
        line, column = self.at(start)
        if end <= start:
            return Span(line, column, line, column)
        end_line, end_column = self.at(end - 1)
        return Span(line, column, end_line, end_column + 1)


_ONLY_HEREDOC = re.compile(r"\s*\d*<<-?\s*(?:'[^']*'|\"[^\"]*\"|[^\s'\"<>|;&]+)\s*\Z")
_SHEBANG = re.compile(r"#![ \t]*(?:/usr)?/bin/(?:env[ \t]+)?(?:ba|da|a)?sh\b")


def _script(instruction: Instruction, text: str | None) -> _Script | None:
    documents = instruction.heredocs
    if not documents:
        return _Script(instruction.value, instruction, (), ())
    lines = text.split("\n") if text is not None and any(each.strip_tabs for each in documents) else None
    if len(documents) == 1 and _ONLY_HEREDOC.match(instruction.value):
        content = documents[0].content
        if content.startswith("#!") and not _SHEBANG.match(content):
            return None
        places = _places(documents[0], lines)
        return _Script(content, instruction, *_numbered(content, 0, places))
    script = instruction.value + "\n"
    offsets: tuple[int, ...] = ()
    places = ()
    for document in documents:
        own = _places(document, lines)
        body = document.content + document.name + "\n"
        more = _numbered(body, len(script), own)
        offsets += more[0]
        places += more[1]
        script += body
    return _Script(script, instruction, offsets, places)


def _places(document: Heredoc, lines: list[str] | None) -> tuple[tuple[int, int], ...]:
    """Where each line of the body, and the name after it, begins in the file."""
    count = document.content.count("\n") + 1
    numbers = range(document.first_line, document.first_line + count)
    if not document.strip_tabs or lines is None:
        return tuple((number, 1) for number in numbers)
    padded = [lines[number - 1] if number <= len(lines) else "" for number in numbers]
    return tuple((number, len(line) - len(line.lstrip("\t")) + 1) for number, line in zip(numbers, padded, strict=True))


def _numbered(
    body: str, start: int, places: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    offsets = [start]
    for line in body.split("\n")[:-1]:
        offsets.append(offsets[-1] + len(line) + 1)
    count = min(len(offsets), len(places))
    return tuple(offsets[:count]), places[:count]


def _placed(command: Command, span: Callable[[int, int], Span]) -> Placed:
    words = tuple(span(word.start, word.end) for word in command.words)
    return Placed(command, span(command.start, command.end), words)


# The JSON form


_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _executed(
    instruction: Instruction, environment: Mapping[str, str | None], directory: str | None
) -> tuple[Placed, ...] | None:
    """`["program", "argument"]`: no shell looks at the words, unless the program is one."""
    value = instruction.value
    words: list[ShellWord] = []
    for match, known in zip(_STRING.finditer(value), instruction.words, strict=False):
        words.append(ShellWord(match[1], known.text, match.start(1), match.end(1), known.text))
    if len(words) != len(instruction.words):
        return None
    if not words:
        return ()
    found = unwrap(words)
    command = Command(tuple(words), (), "", directory, False, words[0].start, words[-1].end)
    if found.index is not None and program(words[found.index].text) in SHELLS:
        index = shell_script(words[found.index + 1 :])
        inner = None if index is None else _spread(words[found.index + 1 + index])
        if inner is not None:
            source = _Source(value, inner[1], inner[2])
            evaluation = _Evaluation(source, State(environment, directory, Budget()), 1)
            try:
                evaluation.script(inner[0])
            except Unparseable:
                return None
            return tuple(_placed(each, instruction.span_of) for each in evaluation.commands)
    return (_placed(command, instruction.span_of),)


def _spread(word: ShellWord) -> tuple[str, list[int], list[int]] | None:
    """The text of a JSON string with the places of its characters; None when it is not what the parser read."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in _ESCAPE.finditer(word.raw):
        starts += range(word.start + at, word.start + match.start() + 1)
        ends += range(word.start + at + 1, word.start + match.start() + 1)
        ends.append(word.start + match.end())
        text += [word.raw[at : match.start()], chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2])]
        at = match.end()
    starts += range(word.start + at, word.end)
    ends += range(word.start + at + 1, word.end + 1)
    joined = "".join([*text, word.raw[at:]])
    return (joined, starts, ends) if joined == word.text else None
