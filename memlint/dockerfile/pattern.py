"""The patterns of `${name#pattern}` and its kin: `*` and `?`, no brackets.

BuildKit makes regular expressions of them. Here they are matched stretch by stretch between the stars, so that no
pattern takes more than the length of the value times its own.
"""

from __future__ import annotations

import re

EFFORT = 4_000_000
"""Length of the value times length of the pattern: more is refused."""

_TOKEN = re.compile(r"\\([*?\\])|\\(?=[}/])|([*?])|([^*?\\])|(\\)", re.DOTALL)


class PatternError(Exception):
    """BuildKit refuses the pattern, or it asks for too much work."""


class Pattern:
    """`stretches` are the patterns between stars: one tuple of characters each, None for `?`."""

    def __init__(self, text: str) -> None:
        self.stretches: list[list[str | None]] = [[]]
        for match in _TOKEN.finditer(text):
            escaped, wildcard, char, bad = match.groups()
            if bad:
                raise PatternError(f"bad escape in the pattern {text[:40]}")
            if wildcard == "*":
                self.stretches.append([])
            elif wildcard or escaped or char:
                self.stretches[-1].append(None if wildcard else escaped or char)

    def without_prefix(self, value: str, longest: bool) -> str:
        """`value` without what the pattern matches at its start, the shortest or the longest."""
        found = _Matcher(self.stretches, value).match(0, anchored=True, longest=longest)
        return value[found[1] :] if found else value

    def without_suffix(self, value: str, longest: bool) -> str:
        """`value` without what the pattern matches at its end, the shortest or the longest."""
        turned = [stretch[::-1] for stretch in reversed(self.stretches)]
        found = _Matcher(turned, value[::-1]).match(0, anchored=True, longest=longest)
        return value[: len(value) - found[1]] if found else value

    def replaced(self, value: str, replacement: str, everywhere: bool) -> str:
        """`value` with the first or all of the longest matches replaced."""
        if everywhere and "$" in replacement:
            raise PatternError("a $ in the replacement")  # Go reads a group's name there
        matcher = _Matcher(self.stretches, value)
        parts: list[str] = []
        at = last = 0
        while at <= len(value) and (found := matcher.match(at, anchored=False, longest=True)):
            begin, end = found
            parts.append(value[last:begin])
            if end > last or not begin:  # an empty match right after another is none
                parts.append(replacement)
            last = end
            at = max(end, at + 1)
            if not everywhere:
                break
        return "".join([*parts, value[last:]])


class _Matcher:
    """A pattern and the value that it is matched against."""

    def __init__(self, stretches: list[list[str | None]], value: str) -> None:
        if "\n" in value or len(value) * sum(map(len, stretches)) > EFFORT:
            raise PatternError("too long a value for the pattern")
        self.value = value
        self.searches = [_search(stretch) for stretch in stretches]
        self.last = _search(stretches[-1][::-1])

    def match(self, start: int, *, anchored: bool, longest: bool) -> tuple[int, int] | None:
        """The leftmost match at or after `start`, and the shortest or the longest of those that begin there."""
        first = self.searches[0].match(self.value, start) if anchored else self.searches[0].search(self.value, start)
        if not first:
            return None
        end = first.end()
        for search in self.searches[1:-1]:
            found = search.search(self.value, end)
            if not found:
                return None
            end = found.end()
        if len(self.searches) > 1:
            end = self._last(end, longest)
        return None if end < 0 else (first.start(), end)

    def _last(self, start: int, longest: bool) -> int:
        if longest:
            found = self.last.search(self.value[: start - 1 if start else None : -1])
            return len(self.value) - found.start() if found else -1
        found = self.searches[-1].search(self.value, start)
        return found.end() if found else -1


def _search(stretch: list[str | None]) -> re.Pattern[str]:
    return re.compile("".join("." if char is None else re.escape(char) for char in stretch))
