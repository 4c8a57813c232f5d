"""The syntax tree of a shell script, before anything in it is looked up or expanded. Positions are offsets into it."""

from __future__ import annotations

import msgspec


class Literal(msgspec.Struct, frozen=True, gc=False):
    """Text that stands for itself: `text` is the source from `start` on. Escapes count as quotes."""

    text: str
    start: int
    quoted: bool


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """`$name` or `${name<operator><operand>}`; `#` alone before the name is the operator "length"."""

    name: str
    operator: str
    operand: tuple[Part, ...]
    quoted: bool
    start: int
    end: int


class Opaque(msgspec.Struct, frozen=True, gc=False):
    """What only a running shell knows: a command substitution, arithmetic, a process substitution."""

    quoted: bool
    start: int
    end: int


Part = Literal | Parameter | Opaque


class WordNode(msgspec.Struct, frozen=True, gc=False):
    """A word before its expansion. Empty quotes give a part with an empty text."""

    parts: tuple[Part, ...]
    start: int
    end: int


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """`name=value`; `array` holds the words of `name=(…)`, `element` is true for `name[i]=value`."""

    name: str
    value: WordNode
    append: bool
    element: bool
    array: tuple[WordNode, ...] | None
    start: int


class HereDocument(msgspec.Struct, gc=False):
    """`<<name`: the body is `script[start:end]`; found when the parser comes to the next line."""

    name: str
    expand: bool
    strip_tabs: bool
    start: int = 0
    end: int = 0


class Simple(msgspec.Struct, frozen=True, gc=False):
    """A simple command."""

    assignments: tuple[Assignment, ...]
    words: tuple[WordNode, ...]
    documents: tuple[HereDocument, ...]
    start: int
    end: int


class Pipeline(msgspec.Struct, frozen=True, gc=False):
    """Commands joined by `|`."""

    negated: bool
    commands: tuple[Node, ...]


class AndOr(msgspec.Struct, frozen=True, gc=False):
    """Pipelines joined by `&&` and `||`: the operator before each, "" before the first; `end` is "&" or ";"."""

    pipelines: tuple[tuple[str, Pipeline], ...]
    end: str


class Sequence(msgspec.Struct, frozen=True, gc=False):
    """Lists after each other; in a subshell what they set is lost."""

    lists: tuple[AndOr, ...]
    subshell: bool = False


class Branches(msgspec.Struct, frozen=True, gc=False):
    """`if` and `case`: of the bodies at most one runs; each follows the conditions up to it."""

    conditions: tuple[Sequence, ...]
    bodies: tuple[Sequence, ...]


class Loop(msgspec.Struct, frozen=True, gc=False):
    """`for`, `while`, `until`, `select`."""

    variable: str | None
    condition: Sequence
    body: Sequence


class Function(msgspec.Struct, frozen=True, gc=False):
    """A definition."""

    name: str
    body: Node


Node = Simple | Sequence | Branches | Loop | Function


def is_test(node: Pipeline) -> bool:
    """Whether it asks rather than does."""
    command = node.commands[-1]
    if node.negated or not isinstance(command, Simple):
        return node.negated
    word = command.words[0] if command.words else None
    text = word.parts[0] if word and len(word.parts) == 1 else None
    return getattr(text, "text", None) in ("[", "[[", "test", "((")


def leaves(node: Node) -> bool:
    """Whether the script ends with this command."""
    if isinstance(node, Sequence):
        return bool(
            not node.subshell
            and node.lists
            and node.lists[-1].end == ";"
            and len(node.lists[-1].pipelines) == 1
            and leaves(node.lists[-1].pipelines[0][1].commands[-1])
        )
    if not isinstance(node, Simple) or not node.words:
        return False
    part = node.words[0].parts[0]
    return not isinstance(part, Parameter) and getattr(part, "text", "") in ("exit", "return")
