"""The grammar of a shell script: POSIX, and what bash adds that scripts use. Nothing is looked up or expanded here.

One pass over the text by recursive descent: each character is looked at a bounded number of times, and nesting ends at
`DEPTH`.
"""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.nodes import (
    AndOr,
    Branches,
    Function,
    Literal,
    Loop,
    Pipeline,
    Sequence,
    Simple,
    WordNode,
)
from memlint.dockerfile.shell.tokens import DEPTH, Unparseable
from memlint.dockerfile.shell.words import PLAIN, Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from memlint.dockerfile.shell.nodes import Assignment, HereDocument, Node

_SEPARATOR = re.compile(r"&(?![&>])|;(?![;&])")
_TEST_END = re.compile(r"\]\](?=[ \t\n;|&()<>]|\Z)")
_CLOSING = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))
_NEVER = Sequence(())


def parse_script(script: str) -> Sequence:
    """The whole script. Unparseable when it is none."""
    parser = _Parser(script)
    sequence = parser.sequence()
    if parser.at < len(script):
        raise Unparseable
    return sequence


def parse_document(script: str, start: int, end: int) -> WordNode:
    """The body of a here-document in which variables are expanded. Unparseable when it is none."""
    parser = _Parser(script[:end], start, in_document=True)
    return WordNode(tuple(parser.document()), start, end)


class _Parser(Words):
    # Lists

    def sequence(self) -> Sequence:
        """Lists up to what closes them, which is left to the caller: the end, `)`, `;;`, a reserved word like `fi`."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Unparseable
        lists: list[AndOr] = []
        self.lines()
        while not self.closing():
            pipelines = self.and_or()
            separator = self.match(_SEPARATOR)
            lists.append(AndOr(pipelines, "&" if separator == "&" else ";"))
            if not separator and not self.peek("\n"):
                break
            self.lines()
        self.depth -= 1
        return Sequence(tuple(lists))

    def closing(self) -> bool:
        return (
            self.at >= len(self.script)
            or self.script[self.at] == ")"
            or self.script.startswith((";;", ";&"), self.at)
            or self.reserved() in _CLOSING
        )

    def and_or(self) -> tuple[tuple[str, Pipeline], ...]:
        pipelines = [("", self.pipeline())]
        while self.script.startswith(("&&", "||"), self.at):
            operator = self.script[self.at : self.at + 2]
            self.at += 2
            self.lines()
            pipelines.append((operator, self.pipeline()))
        return tuple(pipelines)

    def pipeline(self) -> Pipeline:
        negated = False
        while self.reserved() in ("!", "time"):
            if self.reserved() == "time" and not self.time_of_compound():
                break
            negated ^= self.script[self.at] == "!"
            self.at += len(self.reserved())
            self.blanks()
        commands = [self.command()]
        while self.peek("|") and not self.peek("||"):
            self.at += 2 if self.peek("|&") else 1
            self.lines()
            commands.append(self.command())
        return Pipeline(negated, tuple(commands))

    # Commands

    def command(self) -> Node:
        word = self.reserved()
        if word in _CLOSING or word == "in":
            raise Unparseable
        if self.peek("(("):
            return self.arithmetic_command() or self.compound(self.subshell)
        if self.peek("("):
            return self.compound(self.subshell)
        parse = _COMPOUND.get(word)
        return self.compound(parse.__get__(self)) if parse else self.simple()

    def compound(self, parse: Callable[[], Node]) -> Node:
        """A compound command and its redirections."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Unparseable
        node = parse()
        self.depth -= 1
        self.blanks()
        while self.redirect([]):
            self.blanks()
        return node

    def subshell(self) -> Sequence:
        self.at += 1
        inner = self.sequence()
        self.expect(")")
        return Sequence(inner.lists, subshell=True)

    def arithmetic_command(self) -> Node | None:
        start = self.at
        end = self.arithmetic(start + 2)
        if end is None:
            return None
        self.at = end
        self.blanks()
        return Simple((), (WordNode((Literal("((", start, False),), start, end),), (), start, end)

    def group(self) -> Sequence:
        self.word_of("{")
        inner = self.sequence()
        self.word_of("}")
        return inner

    def if_clause(self) -> Branches:
        self.word_of("if")
        conditions = [self.sequence()]
        self.word_of("then")
        bodies = [self.sequence()]
        while self.reserved() == "elif":
            self.word_of("elif")
            conditions.append(self.sequence())
            self.word_of("then")
            bodies.append(self.sequence())
        if self.reserved() == "else":
            self.word_of("else")
            conditions.append(_NEVER)
            bodies.append(self.sequence())
        self.word_of("fi")
        return Branches(tuple(conditions), tuple(bodies))

    def while_clause(self) -> Loop:
        self.word_of(self.reserved())
        condition = self.sequence()
        return Loop(None, condition, self.do_group())

    def for_clause(self) -> Loop:
        self.word_of(self.reserved())
        self.blanks()
        name = None
        if self.peek("(("):
            end = self.arithmetic(self.at + 2)
            if end is None:
                raise Unparseable
            self.at = end
        else:
            name = self.name()
            self.lines()
            if self.reserved() == "in":
                self.word_of("in")
                self.words()
        self.blanks()
        self.match(_SEPARATOR)
        self.lines()
        return Loop(name, _NEVER, self.do_group())

    def do_group(self) -> Sequence:
        self.word_of("do")
        body = self.sequence()
        self.word_of("done")
        return body

    def case_clause(self) -> Branches:
        self.word_of("case")
        self.blanks()
        self.word_required()
        self.lines()
        self.word_of("in")
        bodies = []
        self.lines()
        while self.reserved() != "esac":
            if self.peek("("):
                self.at += 1
            self.patterns()
            bodies.append(self.sequence())
            if self.peek(";"):
                self.at += 3 if self.peek(";;&") else 2
            elif self.reserved() != "esac":
                raise Unparseable
            self.lines()
        self.word_of("esac")
        return Branches(tuple(_NEVER for _ in bodies), tuple(bodies))

    def patterns(self) -> None:
        while True:
            self.blanks()
            self.word_required()
            if not self.peek("|"):
                break
            self.at += 1
        self.expect(")")

    def function_clause(self) -> Function:
        self.word_of("function")
        self.blanks()
        name = self.match(PLAIN)
        self.blanks()
        if self.peek("("):
            self.at += 1
            self.blanks()
            self.expect(")")
        return self.function(name)

    def function(self, name: str) -> Function:
        self.lines()
        if not (self.peek("(") or self.reserved() in _COMPOUND):
            raise Unparseable
        return Function(name, self.command())

    def test_command(self) -> Simple:
        """`[[ … ]]`: its operators are words of no meaning here."""
        start = self.at
        words = [self.word_required()]
        while not _TEST_END.match(self.script, self.at):
            if self.at >= len(self.script):
                raise Unparseable
            if word := self.word():
                words.append(word)
            else:
                self.at += 1
            self.blanks()
        words += self.words()[:1]
        return Simple((), tuple(words), (), start, words[-1].end)

    def simple(self) -> Node:
        start = end = self.at
        assignments: list[Assignment] = []
        words: list[WordNode] = []
        documents: list[HereDocument] = []
        while True:
            if self.redirect(documents):
                pass
            elif not words and (assignment := self.assignment()):
                assignments.append(assignment)
            elif word := self.word():
                words.append(word)
            elif self.peek("(") and len(words) == 1 and not assignments and not documents:
                return self.function_named(words[0])
            else:
                break
            end = self.at
            self.blanks()
        if start == end:
            raise Unparseable
        return Simple(tuple(assignments), tuple(words), tuple(documents), start, end)

    def function_named(self, word: WordNode) -> Function:
        self.at += 1
        self.blanks()
        self.expect(")")
        if len(word.parts) != 1 or not isinstance(word.parts[0], Literal) or word.parts[0].quoted:
            raise Unparseable
        return self.function(word.parts[0].text)


_COMPOUND = {
    "{": _Parser.group,
    "if": _Parser.if_clause,
    "while": _Parser.while_clause,
    "until": _Parser.while_clause,
    "for": _Parser.for_clause,
    "select": _Parser.for_clause,
    "case": _Parser.case_clause,
    "function": _Parser.function_clause,
    "[[": _Parser.test_command,
}
