"""The variables of a shell script at one point of it, as far as they are certain, and what a word then stands for."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.shell.nodes import Literal, Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from memlint.dockerfile.shell.nodes import Part, WordNode

    class Lookup(Protocol):
        """Where the variables come from that the script does not set."""

        def get(self, name: str, /) -> str | None: ...


DIRECTORY = "."
"""The name, which no variable can have, under which the working directory is kept."""
EVERYTHING = "*"
"""Stands for all variables among the names that changed."""

_LONGEST = 65_536
_LONGEST_MATCHED = 256
_BUDGET = 1_000_000
"""Characters that the expansions of one script may come to: doubling variables must not fill the memory."""
_SEPARATORS = r"[ \t\n]+"
_SPECIAL = r"\A~|\{"
_BRACES = r"\{([^{}]*)\}"
_GLOB = r"([*?\[])"
_CLASS = r"\[!?[A-Za-z0-9_.,+~@-]+\]"
_ARRAY = "\0"


class Budget:
    """What is left of `_BUDGET`, for a script and the scripts within it."""

    def __init__(self) -> None:
        self.left = _BUDGET

    def take(self, amount: int) -> bool:
        self.left -= amount
        return self.left >= 0


class _Everything(msgspec.Struct, frozen=True):
    """All variables as they were."""

    values: dict[str, str | None]
    environment: Lookup


_Former = tuple["str | None"] | _Everything | None
"""What a name stood for before a change: a value, all there was, or nothing at all."""


class State:
    """Variables, with a log by which changes can be taken back (a subshell) or declared uncertain (a branch)."""

    def __init__(self, environment: Lookup, directory: str | None, budget: Budget) -> None:
        self.environment: Lookup = environment
        self.values: dict[str, str | None] = {DIRECTORY: directory}
        self.log: list[tuple[str, _Former]] = []
        self.budget = budget

    def get(self, name: str) -> str | None:
        """The value; None where it is not certain, or where the variable may be unset."""
        return self.values[name] if name in self.values else self.environment.get(name)

    def assign(self, name: str, value: str | None) -> None:
        """Assign. A value too long to carry along is not known."""
        self.log.append((name, (self.values[name],) if name in self.values else None))
        self.values[name] = value if value is None or len(value) <= _LONGEST else None

    def mark(self) -> int:
        return len(self.log)

    def changed(self, mark: int) -> set[str]:
        """The names changed since then."""
        return {name for name, _ in self.log[mark:]}

    def rollback(self, mark: int) -> None:
        """As if nothing had been assigned since."""
        while len(self.log) > mark:
            name, old = self.log.pop()
            if isinstance(old, _Everything):
                self.values, self.environment = old.values, old.environment
            elif old is None:
                del self.values[name]
            else:
                (self.values[name],) = old

    def forget(self, names: Iterable[str]) -> None:
        """These are not certain any more."""
        for name in names:
            if name == EVERYTHING:
                self.forget_all()
            else:
                self.assign(name, None)

    def forget_since(self, mark: int) -> None:
        """What changed since then did so on one of several ways here."""
        names = self.changed(mark)
        if EVERYTHING not in names:
            oldest = dict(reversed(self.log[mark:]))
            self.log[mark:] = oldest.items()
            self.values.update(dict.fromkeys(oldest, None))
            return
        self.forget_all()
        self.forget(names & {DIRECTORY})

    def forget_all(self) -> None:
        """No variable is certain; the directory stays."""
        self.log.append((EVERYTHING, _Everything(self.values, self.environment)))
        self.values = {DIRECTORY: self.values[DIRECTORY]}
        self.environment = {}

    @property
    def directory(self) -> str | None:
        return self.values[DIRECTORY]

    # Words

    def text(self, parts: Iterable[Part]) -> str | None:
        """What they stand for where words are not split: in an assignment, in quotes."""
        texts = []
        for part in parts:
            text = part.text if isinstance(part, Literal) else self.part(part)
            if text is None:
                return None
            texts.append(text)
        return "".join(texts)

    def fields(self, word: WordNode) -> list[str] | None:
        """The words that it becomes; None where they are not known. Globs stay as they are written."""
        first = word.parts[0]
        if (
            len(word.parts) == 1
            and isinstance(first, Literal)
            and (first.quoted or not re.search(_SPECIAL, first.text))
        ):
            return [first.text]
        parts = self.tilde(word.parts)
        if parts is None or _differs_by_shell(parts):
            return None
        fields: list[str] = []
        current: str | None = None
        for part in parts:
            if isinstance(part, Literal):
                current = (current or "") + part.text
                continue
            array = self.array(part)
            text = self.part(part) if array is None else None
            if array is not None:
                pieces: list[str] = array
            elif text is None:
                return None
            elif part.quoted:
                current = (current or "") + text
                continue
            else:
                split = self.split(text)
                if split is None:
                    return None
                pieces = split
            for number, piece in enumerate(pieces):
                if number:
                    fields += [] if current is None else [current]
                    current = None
                if piece or array is not None:
                    current = (current or "") + piece
        fields += [] if current is None else [current]
        return fields

    def split(self, text: str) -> list[str] | None:
        """An unquoted expansion; an empty piece at either end says that a word ends there."""
        if not self.budget.take(len(text)):
            return None
        if "IFS" in self.values or self.environment.get("IFS") is not None:
            return None
        return re.split(_SEPARATORS, text)

    def array(self, part: Part) -> list[str] | None:
        """`$@` and `${name[@]}` where all of it is known."""
        if not isinstance(part, Parameter) or part.operator:
            return None
        name = "[@]" if part.name == "@" else part.name
        if not name.endswith("[@]"):
            return None
        value = self.get(name)
        if value is None or not self.budget.take(len(value)):
            return None
        words = value.split(_ARRAY)[1:]
        if part.quoted:
            return words
        return None if any(re.search(_SEPARATORS, word) or not word for word in words) else words

    def set_array(self, name: str, words: list[str] | None) -> None:
        self.assign(f"{name}[@]", None if words is None else "".join(_ARRAY + word for word in words))

    def tilde(self, parts: tuple[Part, ...]) -> tuple[Part, ...] | None:
        """A leading `~` replaced; None where the home is not known."""
        first = parts[0] if parts else None
        if not isinstance(first, Literal) or first.quoted or not first.text.startswith("~"):
            return parts
        user, slash, rest = first.text.partition("/")
        home = self.get("HOME")
        if user != "~" or home is None or (not slash and len(parts) > 1):
            return None
        return (Literal(home, first.start, True), Literal(slash + rest, first.start + 1, False), *parts[1:])

    def known(self, word: WordNode) -> str:
        """How the word begins, up to the first part that is not known."""
        parts = self.tilde(word.parts)
        if parts is None or _differs_by_shell(parts):
            return ""
        texts = []
        for part in parts:
            text = part.text if isinstance(part, Literal) else self.part(part)
            if text is None or (not isinstance(part, Literal) and not part.quoted and re.search(_SEPARATORS, text)):
                break
            texts.append(text)
        return "".join(texts)

    def spread(self, word: WordNode) -> tuple[str, list[int], list[int]] | None:
        """The text of a word that is not split, with the place each of its characters begins and ends at."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for part in word.parts:
            if isinstance(part, Literal):
                piece = part.text
                starts += range(part.start, part.start + len(piece))
                ends += range(part.start + 1, part.start + len(piece) + 1)
            else:
                known = self.part(part)
                if known is None or not part.quoted:
                    return None
                piece = known
                starts += [part.start] * len(piece)
                ends += [part.end] * len(piece)
            text.append(piece)
        return "".join(text), starts, ends

    # Parameters

    def part(self, part: Part) -> str | None:
        if not isinstance(part, Parameter):
            return None
        value = self.parameter(part)
        return value if value is not None and self.budget.take(len(value)) else None

    def parameter(self, part: Parameter) -> str | None:
        value = self.get(DIRECTORY if part.name == "PWD" else part.name)
        if not part.name[0].isidentifier() or part.name.endswith("]"):
            return None
        operator = part.operator
        if not operator or value is None:
            return value
        if operator in ("?", ":?", "-", "="):
            return value or (None if operator == ":?" else "")
        if operator in (":-", ":=", ":+", "+"):
            return self.alternative(part, value)
        if operator == "length":
            return str(len(value))
        if operator[0] in "#%" and len(value) <= _LONGEST_MATCHED:
            pattern = self.pattern(part.operand)
            return None if pattern is None else _without(value, operator, pattern)
        if operator in ("/", "//"):
            return self.replaced(part, value)
        return None

    def alternative(self, part: Parameter, value: str) -> str | None:
        operator = part.operator
        if operator in (":-", ":="):
            if value:
                return value
        elif operator == ":+" and not value:
            return ""
        text = self.text(part.operand)
        quotes = any(isinstance(each, Literal) and each.quoted for each in part.operand)
        if text is not None and not part.quoted and quotes and re.search(_SEPARATORS, text):
            return None
        if operator == ":=" and text is not None:
            self.assign(part.name, text)
        return text

    def pattern(self, parts: Iterable[Part]) -> str | None:
        """As a glob, with what was quoted taken literally."""
        texts = []
        for part in parts:
            text = self.text((part,))
            if text is None or "\\" in text or "[" in re.sub(_CLASS, "", text):
                return None
            texts.append(re.sub(_GLOB, r"[\1]", text) if part.quoted else text)
        return "".join(texts)

    def replaced(self, part: Parameter, value: str) -> str | None:
        """`${name/old/new}` and `//`, where `old` is no pattern."""
        text = self.text(part.operand)
        if text is None or any(part.quoted for part in part.operand) or re.search(r"[*?\[\\&]|\A[#%]", text):
            return None
        old, _, new = text.partition("/")
        if not old or len(value) * max(len(new), 1) > _LONGEST:
            return None
        return value.replace(old, new, 1 if part.operator == "/" else -1)


def _without(value: str, operator: str, pattern: str) -> str:
    """Without the shortest (`#`, `%`) or the longest (`##`, `%%`) match of the glob at its start or end."""
    step = -1 if len(operator) == 2 else 1
    for length in range(len(value) + 1)[::step]:
        rest = len(value) - length
        if operator[0] == "#" and fnmatchcase(value[:length], pattern):
            return value[length:]
        if operator[0] == "%" and fnmatchcase(value[rest:], pattern):
            return value[:rest]
    return value


def _differs_by_shell(parts: tuple[Part, ...]) -> bool:
    """Braces, which bash alone makes several words of; and a `$` on its own, for which it does not split the word."""
    if len(parts) > 1 and any(isinstance(part, Literal) and part.text == "$" and not part.quoted for part in parts):
        return True
    text = "".join(part.text if isinstance(part, Literal) and not part.quoted else "_" for part in parts)
    return "{" in text and any("," in found[1] or ".." in found[1] for found in re.finditer(_BRACES, text))
