"""The words of a shell script, with their quotes and `$`, and what is made of words: assignments and redirections."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.nodes import Assignment, HereDocument, Literal, Opaque, Parameter, WordNode
from memlint.dockerfile.shell.tokens import DEPTH, Tokens, Unparseable

if TYPE_CHECKING:
    from memlint.dockerfile.shell.nodes import Part, Sequence

PLAIN = re.compile(r"[^ \t\n'\"\\$`|&;<>()]+")
_AFTER_PLAIN = ("", " ", "\t", "\n", ";", "|", "&", "(", ")")
_IN_DOUBLE = re.compile(r"[^\"\\$`]+")
_IN_DOCUMENT = re.compile(r"[^\\$`]+")
_IN_BRACES = re.compile(r"[^'\"\\$`}]+")
_IN_QUOTED_BRACES = re.compile(r"[^\"\\$`}]+")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_IN_PARAMETER = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\[[^]\[}`'\"\n]*\])?|[0-9]+|[@*#?$!-])")
_OPERATOR = re.compile(r":?[-=+?]|##?|%%?|//?|\^\^?|,,?|[:@*]")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^]\[ \t\n;|&<>()]*\])?(\+?)=")
_REDIRECT = re.compile(r"[0-9]*(?:<<<|<<-|<<|<>|<&|>>|>&|>\||[<>](?!\())|&>>?")
_PARENTHESIS = re.compile(r"[()]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_ANSI_QUOTED = re.compile(r"(?:[^'\\]|\\.)*'", re.DOTALL)
_BACKQUOTED = re.compile(r"(?:[^`\\]|\\.)*`", re.DOTALL)


class Words(Tokens, ABC):
    """Parses words. For the commands in `$(…)` it needs the grammar."""

    @abstractmethod
    def subshell(self) -> Sequence:
        """`(…)`."""

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
        plain = PLAIN.match(script, start)
        if plain and script[plain.end() : plain.end() + 1] in _AFTER_PLAIN:  # nearly all words
            self.at = plain.end()
            return WordNode((Literal(plain.group(), start, False),), start, self.at)
        parts: list[Part] = []
        while self.at < len(script):
            if plain := PLAIN.match(script, self.at):
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

    # What is made of words

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
