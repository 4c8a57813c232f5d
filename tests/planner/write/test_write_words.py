"""Paths in a COPY: a builder expands variables in them, and takes them for patterns."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

import pytest

from memlint.dockerfile.expand import expand
from memlint.planner.write.words import copy_words, exactly


@pytest.mark.parametrize(
    ("path", "other"), [("/a[1].so", "/a1.so"), ("/a*b", "/axb"), ("/a?b", "/axb"), ("/[", "/x"), ("/a]b", "/ab")]
)
def test_a_path_is_no_pattern(path: str, other: str) -> None:
    """Behind the escape character it would be one: that is gone when a builder looks for files."""
    pattern = expand(exactly(path), {}, "\\") or ""
    assert fnmatchcase(path, pattern)
    assert not fnmatchcase(other, pattern)


def test_plain_words_stay_plain() -> None:
    assert copy_words(["/a/[[]1].so", "/b/"]) == "/a/[[]1].so /b/"


@pytest.mark.parametrize("words", [["/a b", "/c/"], ["/a$b", "/c/"], ["/a\\b", "/$c/"], ["[", "/c/"], ["/a\tb", "/"]])
@pytest.mark.parametrize("escape", ["\\", "`"])
def test_others_are_json(words: list[str], escape: str) -> None:
    assert [expand(word, {}, escape) for word in json.loads(copy_words(words, escape))] == words
