"""The errors that memlint answers with one line on what is wrong and one on what to do."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MemlintError(Exception):
    """A question that could not be answered.

    `message` is one line that names the input (image, layer, file); `hint` is one line that says what to do.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def inside(self, where: str) -> MemlintError:
        """The same error, named from further out: `where` is put before the message."""
        return type(self)(f"{where}: {self.message}", self.hint)


class UsageError(MemlintError):
    """The request itself is at fault: an option, a reference, a name."""


class SourceError(MemlintError):
    """An image, an archive or a daemon that is not there, or that is not what it says."""


class LayerError(MemlintError):
    """A layer whose bytes cannot be read, exceed a limit, or do not match their digest."""


class CacheError(MemlintError):
    """The cache directory cannot be used."""


class DockerfileError(MemlintError):
    """A Dockerfile that cannot be read or parsed; `line` is where, if one line can be told."""

    def __init__(self, message: str, hint: str, line: int | None = None) -> None:
        super().__init__(message, hint)
        self.line = line

    def inside(self, where: str) -> DockerfileError:
        return DockerfileError(f"{where}: {self.message}", self.hint, self.line)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean …?` with the known name that is nearest, where one is near."""
    from difflib import get_close_matches  # only mistakes pay for it

    by_key = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), by_key, n=1, cutoff=0.6)
    return f"did you mean {by_key[found[0]]}?" if found else None
