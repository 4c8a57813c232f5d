"""A place in a shell script, and what stands there: blanks, reserved words, the ends of lines with here-documents."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from memlint.dockerfile.shell.nodes import HereDocument

DEPTH = 40
"""Deeper scripts are not parsed."""

_BLANK = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|do|done|case|esac|while|until|for|select|function|in|time|\[\[|[{}!])"
    r"(?=[ \t\n;|&()<>]|\\\n|\Z)"
)


class Unparseable(Exception):  # noqa: N818 - an answer, not a failure
    """The text is no shell script that this grammar knows."""


class Tokens:
    """Moves over the text of a script."""

    def __init__(self, script: str, at: int = 0, *, in_document: bool = False) -> None:
        self.script = script
        self.at = at
        self.in_document = in_document
        self.depth = 0
        self.pending: list[HereDocument] = []

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

    def time_of_compound(self) -> bool:
        """`time` before a simple command is taken for a program; it is a reserved word before the others."""
        after = _BLANK.match(self.script, self.at + 4)
        rest = after.end() if after else self.at + 4
        following = _RESERVED.match(self.script, rest)
        return self.script.startswith("(", rest) or bool(following and following.group() not in ("time", "!"))

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
