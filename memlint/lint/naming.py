"""Names that a person mistyped."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be."""
    from difflib import get_close_matches  # only mistakes pay for it

    by_key = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), by_key, n=1, cutoff=0.6)
    return by_key[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """`did you mean …?`, where there is something to ask."""
    found = nearest(name, known)
    return f"did you mean {found}?" if found else None
