"""The expansion of variables in arguments, as BuildKit does it before an instruction runs."""

from __future__ import annotations

from memlint.dockerfile.lexer import Lexer, LexError, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def expand(text: str, environment: Mapping[str, str | None], escape: str = "\\") -> str | None:
    """`text` with its variables replaced, its quotes and escapes removed.

    A name that `environment` lacks is unset, one whose value is None is not known. The answer is None where it would
    take what is not known, and where BuildKit refuses the text.
    """
    return expand_noting(text, environment, escape)[0]


def expand_noting(text: str, environment: Mapping[str, str | None], escape: str) -> tuple[str | None, set[str]]:
    """The same, and the names of the unset variables that became ""."""
    if not any(char in text for char in ("$", "'", '"', escape, "\ufeff")):
        return text, set()
    lexer = Lexer(text, environment, escape)
    try:
        return joined(lexer.pieces()), lexer.unset
    except LexError:
        return None, set()
