"""Patterns of paths."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from memlint.errors import UsageError
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


@pytest.mark.parametrize(
    ("patterns", "path", "matches"),
    [
        (["*.dev", "!web.dev"], "web.dev", False),
        (["*.dev", "!web.dev"], "a/api.dev", True),
        (["*.dev", "!web.dev", "/web.dev"], "web.dev", True),
        (["legacy", "!legacy/web/Dockerfile"], "legacy/web/Dockerfile", True),
        (["legacy/*", "!legacy/web"], "legacy/web/Dockerfile", False),
        (["*", r"\!x"], "!x", True),
    ],
)
def test_the_last_pattern_that_matches_decides(patterns: list[str], path: str, matches: bool) -> None:
    assert Globs(patterns, "/repo", "/repo").match(path) is matches


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("[z-a]", "is no pattern (bad character range z-a"),
        ("[[:letter:]]", "is no pattern (there is no class 'letter')"),
        ("!Dockerfile", "takes back what patterns before it match, and there is none"),
    ],
)
def test_what_is_no_pattern_is_named(pattern: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        Globs([pattern, "web"], "/repo", "/repo", "memlint.toml: exclude: ")
    assert caught.value.message.startswith(f"memlint.toml: exclude: {pattern!r} ")
    assert problem in caught.value.message


PATHS = (
    "Dockerfile",
    "a/Dockerfile",
    "a/b/Dockerfile",
    "b/a",
    "a/!x",
    "!x",
    "x]y",
    "a1/b2",
    "*",
    "\\q",
    "web.dev",
    "-",
)
LISTS = (
    *(("a/",), ("a/*",), ("a/**",), ("**/b",), ("a/**/Dockerfile",), ("a**b",), ("/*/b",), ("**",), ("Dockerfile/",)),
    *(("[]x]*",), ("[!a]*",), ("[^a]/*",), ("[[:alpha:]][[:digit:]]",), ("\\*",), ("\\\\q",), ("\\!x",), ("[+--]",)),
    *(
        ("*", "!a"),
        ("*", "!*/"),
        ("a/*", "!a/b"),
        ("a", "!a/b"),
        ("[!a]/*", "!a"),
        ("*", "!/a", "/a/b"),
        ("a/b", "!b/"),
    ),
)


@pytest.mark.parametrize("patterns", LISTS, ids=" ".join)
def test_git_matches_the_same(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    subprocess.run(("git", "init", "-q", str(tmp_path)), check=True)
    (tmp_path / ".gitignore").write_text("\n".join(patterns) + "\n")
    asked = "\0".join(PATHS) + "\0"
    command = ("git", "check-ignore", "--no-index", "-z", "--stdin")
    answer = subprocess.run(command, cwd=tmp_path, input=asked, capture_output=True, text=True, check=False).stdout
    globs = Globs(patterns, str(tmp_path), str(tmp_path))
    assert [path for path in PATHS if globs.match(path)] == answer.split("\0")[:-1]
