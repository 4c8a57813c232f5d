"""Every RUN of the real Dockerfiles parses, each word is where it is said to be, and installs are found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from support.dockerfiles import corpus, corpus_dockerfiles

from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import DockerfileError
from memlint.lint.facts import Step, facts_of
from memlint.model.dockerfile import Dockerfile

NAIVE = {
    "apt": r"\b(?<!xx-)apt(?:-get)?(?:\s+-\S+)*\s+install\b",
    "apk": r"\b(?<!xx-)apk(?:\s+-\S+)*\s+add\b",
    "pip": r"\bpip3?(?:\s+-\S+)*\s+install\b",
    "npm": r"\bnpm\s+(?:install|ci)\b",
    "conda": r"\b(?:conda|mamba|micromamba)\s+(?:install|create)\b",
}
REMOVED = re.compile(r"apk del|apt-mark auto|purge|remove|--virtual")


@cache
def dockerfiles() -> tuple[Dockerfile, ...]:
    return tuple(_dockerfiles())


def _dockerfiles() -> Iterator[Dockerfile]:
    for path in corpus_dockerfiles():
        with suppress(DockerfileError):
            yield parse_dockerfile(path.read_bytes(), str(path.relative_to(corpus())))


def runs() -> Iterator[tuple[Dockerfile, Step]]:
    for dockerfile in dockerfiles():
        for stage in facts_of(dockerfile).stages:
            yield from ((dockerfile, step) for step in stage.steps if step.instruction.keyword == "RUN")


def test_every_run_of_a_posix_shell_parses() -> None:
    unknown = Counter(dockerfile.path for dockerfile, step in runs() if step.commands is None)
    assert sum(1 for _ in runs()) > 1500
    assert [path for path in unknown if "windows" not in path] == []


def test_every_word_is_where_it_is_said_to_be() -> None:
    checked = 0
    for dockerfile, step in runs():
        lines = dockerfile.text.split("\n")
        for placed in step.commands or ():
            for word, span in zip(placed.command.words, placed.word_spans, strict=True):
                if span.line == span.end_line and word.raw:
                    assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == word.raw
                    checked += 1
    assert checked > 30_000


def test_installs_that_a_naive_search_finds_are_found_unless_they_are_removed_again() -> None:
    missed = []
    for dockerfile, step in runs():
        text = " ".join((step.instruction.value, *(each.content for each in step.instruction.heredocs)))
        for manager, pattern in NAIVE.items() if step.commands is not None else ():
            found = sum(install.manager == manager for install in step.installs)
            if len(re.findall(pattern, text)) > found and not REMOVED.search(text):
                missed.append((dockerfile.path, step.instruction.span.line, manager))
    assert missed == []


def test_packages_have_names_and_places() -> None:
    packages = [package for _, step in runs() for install in step.installs for package in install.packages]
    assert len(packages) > 1000
    assert all(re.fullmatch(r"@?[A-Za-z0-9][A-Za-z0-9._+:/-]*", package.name) for package in packages)
    complete = [install.complete for _, step in runs() for install in step.installs]
    assert sum(complete) / len(complete) > 0.85
