"""From an instruction to its commands, and from their words to their places in the file."""

from __future__ import annotations

import re
from bisect import bisect_right

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.evaluation import evaluate_at, parse_shell
from memlint.dockerfile.shell.values import Command, Placed, ShellWord
from memlint.dockerfile.shell.wrappers import SHELLS, program, shell_script, unwrap
from memlint.model.dockerfile import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memlint.model.dockerfile import Heredoc, Instruction


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
    return None if commands is None else tuple(Placed(command, script.span) for command in commands)


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


_ONLY_HEREDOC = r"\s*\d*<<-?\s*(?:'[^']*'|\"[^\"]*\"|[^\s'\"<>|;&]+)\s*\Z"
_SHEBANG = r"#![ \t]*(?:/usr)?/bin/(?:env[ \t]+)?(?:ba|da|a)?sh\b"


def _script(instruction: Instruction, text: str | None) -> _Script | None:
    documents = instruction.heredocs
    if not documents:
        return _Script(instruction.value, instruction, (), ())
    lines = text.split("\n") if text is not None and any(each.strip_tabs for each in documents) else None
    if len(documents) == 1 and re.match(_ONLY_HEREDOC, instruction.value):
        content = documents[0].content
        if content.startswith("#!") and not re.match(_SHEBANG, content):
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


# The JSON form


_STRING = r'(?s)"((?:[^"\\]|\\.)*)"'
_ESCAPE = r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))'
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _executed(
    instruction: Instruction, environment: Mapping[str, str | None], directory: str | None
) -> tuple[Placed, ...] | None:
    """`["program", "argument"]`: no shell looks at the words, unless the program is one."""
    value = instruction.value
    words: list[ShellWord] = []
    for match, known in zip(re.finditer(_STRING, value), instruction.words, strict=False):
        words.append(ShellWord(match[1], known.text, match.start(1), match.end(1), known.text))
    if len(words) != len(instruction.words):
        return None
    if not words:
        return ()
    found = unwrap(words)
    command = Command(tuple(words), (), "", directory, False, words[0].start, words[-1].end, found.index)
    if found.index is not None and program(words[found.index].text) in SHELLS:
        index = shell_script(words[found.index + 1 :])
        inner = None if index is None else _spread(words[found.index + 1 + index])
        if inner is not None:
            commands = evaluate_at(inner[0], value, inner[1], inner[2], environment, directory)
            return None if commands is None else tuple(Placed(each, instruction.span_of) for each in commands)
    return (Placed(command, instruction.span_of),)


def _spread(word: ShellWord) -> tuple[str, list[int], list[int]] | None:
    """The text of a JSON string with the places of its characters; None when it is not what the parser read."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in re.finditer(_ESCAPE, word.raw):
        starts += range(word.start + at, word.start + match.start() + 1)
        ends += range(word.start + at + 1, word.start + match.start() + 1)
        ends.append(word.start + match.end())
        text += [word.raw[at : match.start()], chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2])]
        at = match.end()
    starts += range(word.start + at, word.end)
    ends += range(word.start + at + 1, word.end + 1)
    joined = "".join([*text, word.raw[at:]])
    return (joined, starts, ends) if joined == word.text else None
