"""Names for findings that stay when the lines above them move."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memlint.lint.repository import Repository
    from memlint.model.finding import Location

_LENGTH = 32
_KEY = 12


class Fingerprints:
    """Gives each finding a name of its own: the rule, the file, what is written there, and which of its equals it is.

    Findings must be given in the order of their places.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._seen: dict[bytes, int] = {}

    def of(self, rule: str, location: Location) -> str:
        """The fingerprint of the next finding at that place."""
        from hashlib import sha256  # a run without findings does not pay for it

        written = "\0".join(self._written(location))
        digest = sha256(f"{rule}\0{written}\0".encode("utf-8", "surrogateescape"))
        key = digest.digest()[:_KEY]
        number = self._seen[key] = self._seen.get(key, 0) + 1
        digest.update(b"%d" % number)
        return digest.hexdigest()[:_LENGTH]

    def _written(self, location: Location) -> Iterator[str]:
        yield location.path
        if location.span is not None:
            lines = self._repository.lines(location.path)[location.span.line - 1 : location.span.end_line]
            yield from (" ".join(line.split()) for line in lines)
