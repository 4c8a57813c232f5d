"""On real repositories: repairs leave files that BuildKit's parser accepts, and a second run changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.dockerfiles import corpus, corpus_dockerfiles, theirs
from support.linting import gathered, linter, repository

from memlint.config import Config
from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import DockerfileError
from memlint.lint.fixes import Repaired, repair
from memlint.lint.gathering import Root, gather
from memlint.lint.linting import to_report
from memlint.report.findings import render
from memlint.report.findings.page import Page
from memlint.report.terminal import Terminal


def projects() -> list[Path]:
    return [path for path in sorted(corpus().iterdir()) if path.is_dir()]


@pytest.fixture(scope="module")
def repaired() -> list[Repaired]:
    """Each repository, after all fixes that there are for it."""
    config = Config(directory="/")
    rules = linter()
    found = []
    for project in projects():
        files = gather([str(project)], config, Root(str(project), True))
        found.append(repair(files, rules, unsafe=True))
    return found


def test_buildkit_accepts_what_was_repaired(repaired: list[Repaired]) -> None:
    texts = [text.decode("utf-8", "replace") for each in repaired for text in each.texts.values()]
    assert texts, "no file of the corpus was repaired"
    assert [text for text in texts if theirs(text) == "refused"] == []


def test_a_second_run_changes_nothing(repaired: list[Repaired]) -> None:
    for each in repaired:
        if each.texts:
            assert repair(each.gathered, linter(), unsafe=True).texts == {}


def test_every_format_holds_what_is_found() -> None:
    rules = linter()
    for project in projects():
        files = gather([str(project)], Config(directory="/"), Root(str(project), True))
        findings, _ = rules.findings(files.repository, files.targets)
        page = Page(files.repository, [each.rule for each in rules.active.values()], Terminal(80, False))
        report = to_report(files, findings)
        for name in ("json", "sarif", "gitlab"):
            json.loads("".join(render(name, report, page)))
        assert all(len(line) <= 80 for line in "".join(render("text", report, page)).splitlines() if line.isascii())
        assert len({finding.fingerprint for finding in findings}) == len(findings)


def test_comments_that_suppress_nothing_leave_no_trace() -> None:
    rules = linter("ML001", "ML107")
    tried = 0
    for path in corpus_dockerfiles()[::12]:
        content = path.read_bytes()
        try:
            dockerfile = parse_dockerfile(content, "Dockerfile")
        except DockerfileError:
            continue
        if linter("ML107").findings(repository({"Dockerfile": content}), ("Dockerfile",))[0]:
            continue
        lines = content.splitlines(keepends=True)
        comment = b"# memlint ignore=ML107" + (b"\r\n" if b"\r\n" in content else b"\n")
        for instruction in reversed(dockerfile.instructions):
            lines.insert(instruction.span.line - 1, comment)
        mended = repair(gathered({"Dockerfile": b"".join(lines)}), rules, unsafe=False)
        assert mended.gathered.repository.content("Dockerfile") == content, path
        assert len(mended.fixed) == len(dockerfile.instructions)
        tried += 1
    assert tried > 20
