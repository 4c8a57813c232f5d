"""Names for findings that stay when the lines above them move."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.repository import Repository
    from memlint.model.finding import Location

_LENGTH = 32


class Fingerprints:
    """Gives each finding a name of its own: the rule, the file, what is written there, and which of its equals it is.

    Findings must be given in the order of their places.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._seen: dict[str, int] = {}

    def of(self, rule: str, location: Location) -> str:
        """The fingerprint of the next finding at that place."""
        from hashlib import sha256  # a run without findings does not pay for it

        written = "\0".join(self._written(location))
        number = self._seen[rule + written] = self._seen.get(rule + written, 0) + 1
        key = f"{rule}\0{written}\0{number}"
        return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH]

    def _written(self, location: Location) -> Iterator[str]:
        yield location.path
        if location.span is not None:
            lines = self._repository.lines(location.path)[location.span.line - 1 : location.span.end_line]
            yield from (" ".join(line.split()) for line in lines)
