"""Every real Dockerfile is read as BuildKit reads it, and BuildKit's own test files give what it expects of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.dockerfiles import corpus, corpus_dockerfiles, flag_text, flat_words, is_modern, ours, theirs

from memlint.dockerfile.fold import Reader
from memlint.dockerfile.instruction import read_instructions
from memlint.dockerfile.parser import parse_dockerfile
from memlint.dockerfile.scope import environments
from memlint.errors import DockerfileError
from memlint.model.dockerfile import Instruction

TESTFILES = "moby__buildkit/frontend/dockerfile/parser"
REFUSED = ("empty_dockerfile", "env_no_value", "only_comments", "shykes-nested-json")
ONLY_SYNTAX = (
    *("health", "json"),  # an empty HEALTHCHECK; no FROM, as in all the others
    *(f"jeztah-invalid-json-{name}" for name in ("json-inside-string", "json-inside-string-double", "single-quotes")),
    *(f"jeztah-invalid-json-unterminated-{name}" for name in ("bracket", "string")),
)
"""Test files of BuildKit's syntax that it would not build."""
NUL_IN_ITS_ANSWER = "testfiles/json/Dockerfile"
"""The oracle's strings end at a NUL, and this file has one in a string; its `result` is compared below."""


def test_every_file_is_read_as_buildkit_reads_it() -> None:
    files = [path for path in corpus_dockerfiles() if not path.match(NUL_IN_ITS_ANSWER)]
    assert len(files) > 500
    texts = {path: path.read_bytes().decode() for path in files}
    different = [path for path, text in texts.items() if ours(text) != theirs(text)]
    assert not different


def test_every_file_that_builds_an_image_becomes_stages() -> None:
    refused = set()
    for path in corpus_dockerfiles():
        try:
            dockerfile = parse_dockerfile(path.read_bytes(), str(path))
        except DockerfileError:
            refused.add(path.relative_to(corpus()).as_posix())
            continue
        assert dockerfile.stages
        for stage in dockerfile.stages:
            steps = list(environments(dockerfile, stage))
            assert tuple(instruction for instruction, _ in steps) == stage.instructions
    assert refused == {
        "docker__compose/pkg/e2e/fixtures/wrong-composefile/service1/Dockerfile",  # WRONG DOCKERFILE
        *(f"{TESTFILES}/testfiles/{name}/Dockerfile" for name in ONLY_SYNTAX),
        *(f"{TESTFILES}/testfiles-negative/{name}/Dockerfile" for name in REFUSED),
    }


def test_spans_lead_back_to_what_was_written() -> None:
    """The words of a line are where their span says, and every character of a value is where it says."""
    for path in corpus_dockerfiles():
        text = path.read_bytes().decode()
        lines = text.split("\n")
        for instruction in read_instructions_or_none(text):
            for word in instruction.words:
                if not instruction.json and word.span.line == word.span.end_line:
                    assert lines[word.span.line - 1][word.span.column - 1 : word.span.end_column - 1] == word.text
            for offset in range(0, len(instruction.value), 7):
                line, column = instruction.at(offset)
                assert lines[line - 1][column - 1] == instruction.value[offset]


def read_instructions_or_none(text: str) -> tuple[Instruction, ...]:
    try:
        return tuple(read_instructions(Reader(text)))
    except DockerfileError:
        return ()


def test_files_that_buildkit_refuses_are_refused() -> None:
    folder = corpus() / TESTFILES / "testfiles-negative"
    files = sorted(folder.glob("*/Dockerfile"))
    assert tuple(path.parent.name for path in files) == REFUSED
    for path in files:
        with pytest.raises(DockerfileError):
            parse_dockerfile(path.read_bytes())


def test_buildkits_results_are_ours() -> None:
    folder = corpus() / TESTFILES / "testfiles"
    files = sorted(folder.glob("*/Dockerfile"))
    assert len(files) == 33
    for path in files:
        read = read_instructions(Reader(path.read_text("utf-8")))
        assert "\n".join(f"({dump(each)})" for each in read) == result(path), path


def result(path: Path) -> str:
    return (path.parent / "result").read_text("utf-8").rstrip("\n")


def dump(instruction: Instruction) -> str:
    """An instruction as BuildKit prints the nodes of its tree."""
    parts = [instruction.keyword.lower()]
    if instruction.flags:
        parts.append("[" + " ".join(quote(flag_text(flag)) for flag in instruction.flags) + "]")
    if instruction.on_build:
        return " ".join([*parts, f"({dump(instruction.on_build)})"])
    words = flat_words(instruction)
    if instruction.keyword in ("ENV", "LABEL"):
        sign = "=" if is_modern(instruction) else ""
        words = tuple(each for i in range(0, len(words), 2) for each in (*words[i : i + 2], sign))
    return " ".join([*parts, *map(quote, words)])


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\\u0000", "\\x00")
