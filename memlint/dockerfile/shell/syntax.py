"""The grammar of a shell script: POSIX, and what bash adds that scripts use. Nothing is looked up or expanded here.

One pass over the text by recursive descent: each character is looked at a bounded number of times, and nesting ends at
`DEPTH`. Positions are offsets into the text.
"""

from __future__ import annotations

import re

import msgspec

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 40
"""Deeper scripts are not parsed."""


class Unparseable(Exception):  # noqa: N818 - an answer, not a failure
    """The text is no shell script that this grammar knows."""


class Literal(msgspec.Struct, frozen=True):
    """Text that stands for itself: `text` is the source from `start` on. Escapes count as quotes."""

    text: str
    start: int
    quoted: bool


class Parameter(msgspec.Struct, frozen=True):
    """`$name` or `${name<operator><operand>}`; `#` alone before the name is the operator "length"."""

    name: str
    operator: str
    operand: tuple[Part, ...]
    quoted: bool
    start: int
    end: int


class Opaque(msgspec.Struct, frozen=True):
    """What only a running shell knows: a command substitution, arithmetic, a process substitution."""

    quoted: bool
    start: int
    end: int


Part = Literal | Parameter | Opaque


class WordNode(msgspec.Struct, frozen=True):
    """A word before its expansion. Empty quotes give a part with an empty text."""

    parts: tuple[Part, ...]
    start: int
    end: int


class Assignment(msgspec.Struct, frozen=True):
    """`name=value`; `array` holds the words of `name=(…)`, `element` is true for `name[i]=value`."""

    name: str
    value: WordNode
    append: bool
    element: bool
    array: tuple[WordNode, ...] | None
    start: int


class HereDocument(msgspec.Struct):
    """`<<name`: the body is `script[start:end]`; found when the parser comes to the next line."""

    name: str
    expand: bool
    strip_tabs: bool
    start: int = 0
    end: int = 0


class Simple(msgspec.Struct, frozen=True):
    """A simple command."""

    assignments: tuple[Assignment, ...]
    words: tuple[WordNode, ...]
    documents: tuple[HereDocument, ...]
    start: int
    end: int


class Pipeline(msgspec.Struct, frozen=True):
    """Commands joined by `|`."""

    negated: bool
    commands: tuple[Node, ...]


class AndOr(msgspec.Struct, frozen=True):
    """Pipelines joined by `&&` and `||`: the operator before each, "" before the first; `end` is "&" or ";"."""

    pipelines: tuple[tuple[str, Pipeline], ...]
    end: str


class Sequence(msgspec.Struct, frozen=True):
    """Lists after each other; in a subshell what they set is lost."""

    lists: tuple[AndOr, ...]
    subshell: bool = False


class Branches(msgspec.Struct, frozen=True):
    """`if` and `case`: of the bodies at most one runs; each follows the conditions up to it."""

    conditions: tuple[Sequence, ...]
    bodies: tuple[Sequence, ...]


class Loop(msgspec.Struct, frozen=True):
    """`for`, `while`, `until`, `select`."""

    variable: str | None
    condition: Sequence
    body: Sequence


class Function(msgspec.Struct, frozen=True):
    """A definition."""

    name: str
    body: Node


Node = Simple | Sequence | Branches | Loop | Function

_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_PLAIN = re.compile(r"[^ \t\n'\"\\$`|&;<>()]+")
_AFTER_PLAIN = ("", " ", "\t", "\n", ";", "|", "&", "(", ")")
_IN_DOUBLE = re.compile(r"[^\"\\$`]+")
_IN_DOCUMENT = re.compile(r"[^\\$`]+")
_IN_BRACES = re.compile(r"[^'\"\\$`}]+")
_IN_QUOTED_BRACES = re.compile(r"[^\"\\$`}]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_IN_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\[[^]\[}`'\"\n]*\])?|[0-9]+|[@*#?$!-])")
_OPERATOR = re.compile(r":?[-=+?]|##?|%%?|//?|\^\^?|,,?|[:@*]")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^]\[ \t\n;|&<>()]*\])?(\+?)=")
_REDIRECT = re.compile(r"[0-9]*(?:<<<|<<-|<<|<>|<&|>>|>&|>\||[<>](?!\())|&>>?")
_SEPARATOR = re.compile(r"&(?![&>])|;(?![;&])")
_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|do|done|case|esac|while|until|for|select|function|in|time|\[\[|[{}!])"
    r"(?=[ \t\n;|&()<>]|\\\n|\Z)"
)
_TEST_END = re.compile(r"\]\](?=[ \t\n;|&()<>]|\Z)")
_PARENTHESIS = re.compile(r"[()]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_CLOSING = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))
_ANSI_QUOTED = re.compile(r"(?:[^'\\]|\\.)*'", re.DOTALL)
_BACKQUOTED = re.compile(r"(?:[^`\\]|\\.)*`", re.DOTALL)
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


class _Parser:
    def __init__(self, script: str, at: int = 0, *, in_document: bool = False) -> None:
        self.script = script
        self.at = at
        self.in_document = in_document
        self.depth = 0
        self.pending: list[HereDocument] = []

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
            self.at = _RESERVED.match(self.script, self.at).end()  # type: ignore[union-attr]
            self.blanks()
        commands = [self.command()]
        while self.peek("|") and not self.peek("||"):
            self.at += 2 if self.peek("|&") else 1
            self.lines()
            commands.append(self.command())
        return Pipeline(negated, tuple(commands))

    def time_of_compound(self) -> bool:
        """`time` before a simple command is taken for a program; it is a reserved word before the others."""
        after = _BLANK.match(self.script, self.at + 4)
        rest = after.end() if after else self.at + 4
        following = _RESERVED.match(self.script, rest)
        return self.script.startswith("(", rest) or bool(following and following.group() not in ("time", "!"))

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
        name = self.match(_PLAIN)
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

    def redirect(self, documents: list[HereDocument]) -> bool:
        """A redirection, if one stands here; of those only here-documents are kept."""
        match = _REDIRECT.match(self.script, self.at)
        if not match:
            return False
        operator = match.group().lstrip("0123456789")
        self.at = match.end()
        self.blanks()
        word = self.word()
        if not word:
            raise Unparseable
        if operator not in ("<<", "<<-"):
            return True
        raw = self.script[word.start : word.end]
        name = re.sub(r"\\(.)|['\"]", r"\1", raw)
        document = HereDocument(name, name == raw, operator == "<<-")
        self.pending.append(document)
        documents.append(document)
        return True

    def assignment(self) -> Assignment | None:
        match = _ASSIGNMENT.match(self.script, self.at)
        if not match:
            return None
        start = self.at
        self.at = match.end()
        array = None
        value = WordNode((), self.at, self.at)
        if self.peek("("):
            self.at += 1
            array = self.array()
            value = WordNode((), match.end(), self.at)
        else:
            value = self.word() or value
        return Assignment(match[1], value, bool(match[3]), bool(match[2]), array, start)

    def array(self) -> tuple[WordNode, ...]:
        words: list[WordNode] = []
        self.lines()
        while not self.peek(")"):
            words.append(self.word_required())
            self.lines()
        self.at += 1
        return tuple(words)

    # Words

    def words(self) -> list[WordNode]:
        words = []
        self.blanks()
        while word := self.word():
            words.append(word)
            self.blanks()
        return words

    def word_required(self) -> WordNode:
        word = self.word()
        self.blanks()
        if not word:
            raise Unparseable
        return word

    def word(self) -> WordNode | None:
        start = self.at
        script = self.script
        plain = _PLAIN.match(script, start)
        if plain and script[plain.end() : plain.end() + 1] in _AFTER_PLAIN:  # nearly all words
            self.at = plain.end()
            return WordNode((Literal(plain.group(), start, False),), start, self.at)
        parts: list[Part] = []
        while self.at < len(script):
            if plain := _PLAIN.match(script, self.at):
                parts.append(Literal(plain.group(), self.at, False))
                self.at = plain.end()
            elif script[self.at] in "<>" and script.startswith("(", self.at + 1):
                begin = self.at
                self.at += 1
                self.subshell_skipped()
                parts.append(Opaque(False, begin, self.at))
            elif script[self.at] in "'\"\\$`":
                self.part(parts, quoted=False)
            else:
                break
        return WordNode(tuple(parts), start, self.at) if self.at > start and parts else None

    def part(self, parts: list[Part], *, quoted: bool) -> None:
        """What begins with ', \", \\, $ or ` outside of double quotes, or with one of the last three inside."""
        character = self.script[self.at]
        if character == "'":
            self.single_quotes(parts)
        elif character == '"':
            self.double_quotes(parts)
        elif character == "\\":
            self.escape(parts, quoted=quoted)
        elif character == "`":
            start = self.at
            self.at = self.end_of(_BACKQUOTED, self.at + 1)
            parts.append(Opaque(quoted, start, self.at))
        else:
            self.dollar(parts, quoted=quoted)

    def single_quotes(self, parts: list[Part]) -> None:
        end = self.script.find("'", self.at + 1)
        if end < 0:
            raise Unparseable
        parts.append(Literal(self.script[self.at + 1 : end], self.at + 1, True))
        self.at = end + 1

    def double_quotes(self, parts: list[Part]) -> None:
        self.at += 1
        if self.peek('"'):
            parts.append(Literal("", self.at, True))
        while not self.peek('"'):
            if self.at >= len(self.script):
                raise Unparseable
            if plain := _IN_DOUBLE.match(self.script, self.at):
                parts.append(Literal(plain.group(), self.at, True))
                self.at = plain.end()
            else:
                self.part(parts, quoted=True)
        self.at += 1

    def document(self) -> list[Part]:
        parts: list[Part] = []
        while self.at < len(self.script):
            if plain := _IN_DOCUMENT.match(self.script, self.at):
                parts.append(Literal(plain.group(), self.at, True))
                self.at = plain.end()
            else:
                self.part(parts, quoted=True)
        return parts

    def escape(self, parts: list[Part], *, quoted: bool) -> None:
        following = self.script[self.at + 1 : self.at + 2]
        if following == "\n":
            self.at += 2
            return
        if not following or (quoted and following not in ("$`\\" if self.in_document else '$`"\\')):
            parts.append(Literal("\\", self.at, True))
            self.at += 1
            return
        parts.append(Literal(following, self.at + 1, True))
        self.at += 2

    def dollar(self, parts: list[Part], *, quoted: bool) -> None:
        start = self.at
        script = self.script
        self.at += 1
        if script.startswith("{", self.at):
            self.at += 1
            parts.append(self.braces(start, quoted=quoted))
        elif script.startswith("(", self.at):
            self.substitution()
            parts.append(Opaque(quoted, start, self.at))
        elif match := _PARAMETER.match(script, self.at):
            self.at = match.end()
            parts.append(Parameter(match.group(), "", (), quoted, start, self.at))
        elif not quoted and script.startswith("'", self.at):
            self.at = self.end_of(_ANSI_QUOTED, self.at + 1)
            parts.append(Opaque(True, start, self.at))
        elif script.startswith("[", self.at) or (not quoted and script.startswith('"', self.at)):
            parts.append(Opaque(True, start, self.at))
        else:
            parts.append(Literal("$", start, quoted))

    def substitution(self) -> None:
        end = self.arithmetic(self.at + 2) if self.peek("((") else None
        if end is None:
            self.subshell_skipped()
        else:
            self.at = end

    def subshell_skipped(self) -> None:
        self.depth += 1
        self.subshell()
        self.depth -= 1

    def arithmetic(self, at: int) -> int | None:
        """Where the `((` before `at` ends; None when it is no arithmetic but two parentheses."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Unparseable
        depth = 2
        for match in _PARENTHESIS.finditer(self.script, at):
            if match.group() == "(":
                depth += 1
            elif match.group() == ")":
                depth -= 1
                if depth == 1 and not self.script.startswith(")", match.end()):
                    break
                if depth == 0:
                    self.depth -= 1
                    return match.end()
        else:
            raise Unparseable
        self.depth -= 1
        return None

    def braces(self, start: int, *, quoted: bool) -> Parameter:
        """`${…}`, from after its brace."""
        self.depth += 1
        if self.depth > DEPTH:
            raise Unparseable
        script = self.script
        operator = ""
        if script[self.at : self.at + 1] in ("#", "!") and _PARAMETER.match(script, self.at + 1):
            operator = "length" if script[self.at] == "#" else "indirect"
            self.at += 1
        match = _IN_PARAMETER.match(script, self.at)
        if not match:
            raise Unparseable
        self.at = match.end()
        operand: list[Part] = []
        if not self.peek("}"):
            symbol = self.match(_OPERATOR)
            if not symbol or operator == "length":
                raise Unparseable
            operator = operator or symbol
            single = not quoted or symbol[0] in "#%/"
            self.operand(operand, quoted=quoted, single=single)
        self.at += 1
        self.depth -= 1
        return Parameter(match.group(), operator, tuple(operand), quoted, start, self.at)

    def operand(self, parts: list[Part], *, quoted: bool, single: bool) -> None:
        pattern = _IN_BRACES if single else _IN_QUOTED_BRACES
        while not self.peek("}"):
            if self.at >= len(self.script):
                raise Unparseable
            if plain := pattern.match(self.script, self.at):
                parts.append(Literal(plain.group(), self.at, quoted and not single))
                self.at = plain.end()
            elif self.peek("\\") and self.script[self.at + 1 : self.at + 2] == "}":
                parts.append(Literal("}", self.at + 1, True))
                self.at += 2
            else:
                self.part(parts, quoted=quoted and self.script[self.at] not in "'\"")

    # Tokens

    def end_of(self, pattern: re.Pattern[str], at: int) -> int:
        match = pattern.match(self.script, at)
        if not match:
            raise Unparseable
        return match.end()

    def peek(self, text: str) -> bool:
        return self.script.startswith(text, self.at)

    def match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.script, self.at)
        if not match:
            return ""
        self.at = match.end()
        return match.group()

    def name(self) -> str:
        name = self.match(_NAME)
        if not name:
            raise Unparseable
        return name

    def reserved(self) -> str:
        """The reserved word that stands here, or ""."""
        match = _RESERVED.match(self.script, self.at)
        return match.group() if match else ""

    def word_of(self, word: str) -> None:
        if self.reserved() != word:
            raise Unparseable
        self.at += len(word)

    def expect(self, text: str) -> None:
        if not self.peek(text):
            raise Unparseable
        self.at += len(text)

    def blanks(self) -> None:
        if match := _BLANK.match(self.script, self.at):
            self.at = match.end()
        if match := _COMMENT.match(self.script, self.at):
            self.at = match.end()

    def lines(self) -> None:
        """Blanks, comments and ends of lines, with the here-documents that begin after one."""
        self.blanks()
        while self.peek("\n"):
            self.at += 1
            for document in self.pending:
                self.body(document)
            self.pending.clear()
            self.blanks()

    def body(self, document: HereDocument) -> None:
        document.start = self.at
        script = self.script
        while self.at < len(script):
            end = script.find("\n", self.at)
            line = script[self.at : end if end >= 0 else len(script)]
            document.end = self.at
            self.at = end + 1 if end >= 0 else len(script)
            if (line.lstrip("\t") if document.strip_tabs else line) == document.name:
                return
        document.end = self.at


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
