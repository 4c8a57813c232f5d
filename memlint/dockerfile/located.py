"""Text that knows which place of the file each of its characters was read from."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import msgspec

from memlint.model.dockerfile import Span

SPACES = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Unicode calls white space. `str.isspace` takes U+001C to U+001F for it too, and BuildKit does not."""

BLANKS = "\t\v\f\r "
"""What parts arguments."""


class Located(msgspec.Struct, frozen=True):
    """`text[offsets[i]:offsets[i + 1]]` was read from `places[i]` (line, column) on. The first offset is 0."""

    text: str
    offsets: tuple[int, ...]
    places: tuple[tuple[int, int], ...]

    def at(self, offset: int) -> tuple[int, int]:
        """The line and column of a character."""
        part = bisect_right(self.offsets, offset) - 1
        line, column = self.places[part]
        return line, column + offset - self.offsets[part]

    def span(self, start: int, end: int) -> Span:
        """The place of `text[start:end]`, which is not empty."""
        line, column = self.at(start)
        end_line, end_column = self.at(end - 1)
        return Span(line, column, end_line, end_column + 1)

    def part(self, start: int, end: int) -> Located:
        """`text[start:end]`."""
        first = bisect_right(self.offsets, start)
        last = max(bisect_left(self.offsets, end), first)
        offsets = (0, *(offset - start for offset in self.offsets[first:last]))
        return Located(self.text[start:end], offsets, (self.at(start), *self.places[first:last]))

    def stripped(self, start: int = 0) -> Located:
        """`text[start:]` without the white space around it."""
        end = len(self.text.rstrip(SPACES))
        start = min(len(self.text) - len(self.text[start:].lstrip(SPACES)), end)
        return self.part(start, end)
