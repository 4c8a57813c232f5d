"""Patterns of paths."""

from __future__ import annotations

import pytest

from memlint.lint.globs import Globs


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("Dockerfile", "Dockerfile", True),
        ("Dockerfile", "a/b/Dockerfile", True),
        ("Dockerfile", "Dockerfile.dev", False),
        ("*.dev", "a/Dockerfile.dev", True),
        ("legacy", "legacy/web/Dockerfile", True),
        ("legacy", "a/legacy/Dockerfile", True),
        ("legacy", "notlegacy/Dockerfile", False),
        ("legacy/", "a/legacy/Dockerfile", True),
        ("/legacy", "legacy/Dockerfile", True),
        ("/legacy", "a/legacy/Dockerfile", False),
        ("legacy/web", "legacy/web/Dockerfile", True),
        ("legacy/web", "a/legacy/web/Dockerfile", False),
        ("legacy/*", "legacy/Dockerfile", True),
        ("legacy/*", "legacy/web/Dockerfile", True),
        ("legacy/*/Dockerfile", "legacy/a/b/Dockerfile", False),
        ("legacy/**", "legacy/a/b/Dockerfile", True),
        ("**/web/Dockerfile", "web/Dockerfile", True),
        ("**/web/Dockerfile", "a/b/web/Dockerfile", True),
        ("a/**/Dockerfile", "a/Dockerfile", True),
        ("a/**/Dockerfile", "a/b/c/Dockerfile", True),
        ("Dockerfile.?", "Dockerfile.1", True),
        ("Dockerfile.?", "Dockerfile.12", False),
        ("Dockerfile.[12]", "Dockerfile.2", True),
        ("Dockerfile.[!12]", "Dockerfile.2", False),
        ("Dockerfile.[!12]", "Dockerfile.3", True),
        ("[", "[", True),
        ("a+b", "a+b", True),
        ("a+b", "aab", False),
        ("ä*", "ärger/Dockerfile", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert Globs([pattern], "/repo", "/repo").match(path) is matches


@pytest.mark.parametrize(
    ("directory", "root", "pattern", "path", "matches"),
    [
        ("/repo/sub", "/repo", "web", "sub/web/Dockerfile", True),
        ("/repo/sub", "/repo", "/web", "sub/web/Dockerfile", True),
        ("/repo/sub", "/repo", "/web", "web/Dockerfile", False),
        ("/", "/repo", "/repo/web", "web/Dockerfile", True),
        ("/repo", "/repo", "*", "/elsewhere/Dockerfile", True),
    ],
)
def test_patterns_are_relative_to_the_configuration(
    directory: str, root: str, pattern: str, path: str, matches: bool
) -> None:
    assert Globs([pattern], directory, root).match(path) is matches


def test_no_pattern_matches_nothing() -> None:
    assert not Globs([], "/repo", "/repo").match("Dockerfile")
