"""Shells in a shell script: the text of `sh -c TEXT` and of `sh <<NAME`, and where in the script it stands."""

from __future__ import annotations

import re

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.syntax import parse_document
from memlint.dockerfile.shell.tokens import Unparseable
from memlint.dockerfile.shell.wrappers import SHELLS, program, reads_standard_input, shell_script, unwrap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memlint.dockerfile.shell.nodes import Assignment, HereDocument, Simple, WordNode
    from memlint.dockerfile.shell.state import Lookup, State
    from memlint.dockerfile.shell.values import ShellWord

NOTHING: Mapping[str, str | None] = {}


class Source(msgspec.Struct, frozen=True):
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

    def nested(self, script: Nested) -> Source:
        """The places of a script that stands in the one these are the places of."""
        starts, ends = script.starts, script.ends
        if self.starts is not None and self.ends is not None:
            starts = [self.place(start, start + 1)[0] for start in starts]
            ends = [self.place(end - 1, end)[1] for end in ends]
        return Source(self.script, starts, ends)


class Nested(msgspec.Struct, frozen=True):
    """The script of a shell in the script: where there its characters begin and end, and the variables it gets."""

    text: str
    starts: list[int]
    ends: list[int]
    environment: Lookup


class _Passed(msgspec.Struct, frozen=True):
    """What a shell inside the script sees: of the outer variables those that were exported to the outer one."""

    state: State
    exported: Lookup
    assigned: dict[str, str | None]

    def get(self, name: str, /) -> str | None:
        if name in self.assigned:
            return self.assigned[name]
        return self.state.get(name) if self.exported.get(name) is not None else None


def nested_script(
    script: str,
    state: State,
    node: Simple,
    words: list[ShellWord],
    nodes: list[WordNode],
    assignments: list[tuple[Assignment, ShellWord]],
) -> Nested | None:
    """What the shell runs that a command of `script` starts; None when it starts none, or that is not known.

    `nodes` are the words before their expansion, one for each of `words`.
    """
    found = unwrap(words)
    if found.index is None or program(words[found.index].text) not in SHELLS or "xargs" in found.through:
        return None
    arguments = words[found.index + 1 :]
    index = shell_script(arguments)
    inner = None
    if index is not None:
        inner = state.spread(nodes[found.index + 1 + index])
        if inner is None or inner[0] != arguments[index].text:
            return None
    elif node.documents and reads_standard_input(arguments):
        inner = _document(script, state, node.documents[-1])
    if inner is None:
        return None
    passed = {each.name: word.text for each, word in assignments}
    passed |= dict.fromkeys((word.prefix.partition("=")[0] for word in found.assignments), None)
    return Nested(*inner, _passed(state, words, found.through, passed))


def _document(script: str, state: State, document: HereDocument) -> tuple[str, list[int], list[int]] | None:
    """The text that a here-document gives, with the places of its characters; None when it is not known."""
    start, end = document.start, document.end
    text = script[start:end]
    if document.strip_tabs and (text.startswith("\t") or "\n\t" in text):
        return None
    if not document.expand or not re.search(r"[$`\\]", text):
        return text, list(range(start, end)), list(range(start + 1, end + 1))
    try:
        return state.spread(parse_document(script, start, end))
    except Unparseable:
        return None


def _passed(state: State, words: list[ShellWord], through: tuple[str, ...], assigned: dict[str, str | None]) -> Lookup:
    cleared = "sudo" in through or ("env" in through and any(word.text in ("-i", "-") for word in words))
    return NOTHING if cleared or "doas" in through else _Passed(state, state.environment, assigned)
