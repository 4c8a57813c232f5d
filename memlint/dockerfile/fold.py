"""Physical lines into logical ones, by BuildKit's rules: directives, comments, continuations and bodies of heredocs.

Every rule here is one of BuildKit's scanner, whatever a shell would say: only `\\n` ends a line, a line longer than its
buffer ends the build, a comment or an empty line inside a continuation is skipped, and the end of the file ends it.
"""

from __future__ import annotations

import re

from memlint.dockerfile.located import SPACES, Located
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Span, Word

LONGEST_LINE = 65_535
"""Bytes of a line, without its end."""

BOM = "\ufeff"

_DIRECTIVE = r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z"
_DIRECTIVES = ("syntax", "escape", "check")
_LEADING_TABS = re.compile(r"^\t+", re.MULTILINE)


class Reader:
    """Hands out the logical lines of a file, one after the other, and between them the bodies of their heredocs.

    `row` is the number of physical lines read so far, `comments` are the whole-line comments among them, `start` is the
    place where the last logical line began.
    """

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        if not self.lines[-1]:
            self.lines.pop()
        _refuse_long(self.lines)
        if self.lines:
            self.lines[0] = self.lines[0].removeprefix(BOM)
        self.directives = directives(self.lines)
        self.escape = self.directives.get("escape", "\\")
        self.row = len(self.directives)
        self.start = (1, 1)
        self.comments: list[Word] = []

    def logical(self) -> Located | None:
        """The next instruction's line, continuations joined; None at the end."""
        while self.row < len(self.lines):
            whole = self.lines[self.row].rstrip("\r")
            line = whole.lstrip(SPACES)
            column = len(whole) - len(line) + 1
            self.row += 1
            if line.startswith("#"):
                self._comment(line, column)
                continue
            self.start = (self.row, column)
            text, continued = self._continuation(line)
            if continued:
                return self._joined(text)
            if text:
                return Located(text, (0,), (self.start,))
        return None

    def body(self, name: str, strip_tabs: bool) -> str | None:
        """The lines up to the one that ends the heredoc `name`, as the build sees them; None where none ends it."""
        first = self.row
        for row in range(first, len(self.lines)):
            line = self.lines[row].rstrip("\r")
            if (line.lstrip("\t") if strip_tabs else line) == name:
                self.row = row + 1
                content = "\n".join([*self.lines[first:row], ""])
                return _LEADING_TABS.sub("", content) if strip_tabs else content
        return None

    def end(self) -> tuple[int, int]:
        """The place after the last character read."""
        return self.row, len(self.lines[self.row - 1].rstrip("\r")) + 1

    def _joined(self, first: str) -> Located:
        """The line that begins with `first`, which a continuation ended."""
        texts, offsets, places = [first], [0], [self.start]
        length, continued = len(first), True
        while continued and self._inner_line():
            text, continued = self._continuation(self.lines[self.row - 1].rstrip("\r"))
            if text:
                texts.append(text)
                offsets.append(length)
                places.append((self.row, 1))
                length += len(text)
        # parts that hold no character have no place: bisection takes the last of equal offsets
        return Located("".join(texts), tuple(offsets), tuple(places))

    def _inner_line(self) -> bool:
        """Reads up to the next line that continues; False at the end of the file."""
        while self.row < len(self.lines):
            whole = self.lines[self.row].rstrip("\r")
            line = whole.lstrip(SPACES)
            self.row += 1
            if line.startswith("#"):
                self._comment(line, len(whole) - len(line) + 1)
            elif line:
                return True
        return False

    def _continuation(self, line: str) -> tuple[str, bool]:
        """The line without the escape that continues it, and whether it had one. An escaped escape is none."""
        end = line.rstrip("\t ")
        if end.endswith(self.escape) and not end.endswith(self.escape * 2):
            return end[:-1], True
        return line, False

    def _comment(self, text: str, column: int) -> None:
        self.comments.append(Word(text, Span(self.row, column, self.row, column + len(text))))


def _refuse_long(lines: list[str]) -> None:
    for number, line in enumerate(lines, 1):
        # no character takes more than four bytes
        if len(line) > LONGEST_LINE // 4 and len(line.encode("utf-8", "replace")) > LONGEST_LINE:
            message = f"line {number} is longer than {LONGEST_LINE} bytes"
            raise DockerfileError(message, "BuildKit refuses it too: split the line with continuations", number)


def directives(lines: list[str]) -> dict[str, str]:
    """The parser directives, which only the first lines can be."""
    found: dict[str, str] = {}
    for number, whole in enumerate(lines, 1):
        line = whole.rstrip("\r").lstrip(SPACES)
        match = re.match(_DIRECTIVE, line[1:].lstrip(SPACES)) if line.startswith("#") else None
        if match is None or (name := match[1].lower()) not in _DIRECTIVES:
            break
        if name in found:
            raise DockerfileError(f"a second {name} directive", "each parser directive may stand once", number)
        if name == "escape" and match[2] not in ("\\", "`"):
            raise DockerfileError(
                f"the escape character {match[2][:20]!r} is neither \\ nor `", "use `# escape=`", number
            )
        found[name] = match[2]
    return found
