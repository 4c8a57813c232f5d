"""The rules that compare Dockerfiles, over real repositories: what they say names files and lines that are there."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from support.dockerfiles import corpus
from support.linting import linter

from memlint.config import RuleSettings
from memlint.dockerfile.discover import find_dockerfiles
from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import DockerfileError
from memlint.lint.dockerfiles import Dockerfiles
from memlint.lint.linting import Linter
from memlint.lint.repository import Repository
from memlint.model.finding import Finding

RULES = [f"ML3{number:02}" for number in range(1, 12)]
READ = {"ML301": 4, "ML302": 4, "ML303": 1, "ML308": 1, "ML309": 3, "ML310": 1, "ML311": 2}
"""Hits that were read by eye; another number means that they have to be read again."""


def repository_in(root: Path) -> Repository:
    dockerfiles = Dockerfiles(str(root))
    for path in find_dockerfiles(str(root)).paths:
        with suppress(DockerfileError):
            dockerfiles.add(path, (root / path).read_bytes())
    return Repository(dockerfiles)


def over_all(linter: Linter) -> list[tuple[Repository, Finding]]:
    found = []
    for root in sorted(path for path in corpus().iterdir() if path.is_dir()):
        repository = repository_in(root)
        found += [(repository, finding) for finding in linter.findings(repository, repository.paths)[0]]
    return found


@pytest.fixture(scope="module")
def everything() -> list[tuple[Repository, Finding]]:
    """What is found when all files of a repository are compared with all."""
    settings = {rule: RuleSettings(thresholds={"all_files": True}) for rule in RULES}
    return [each for each in over_all(linter(*RULES, rule=settings)) if each[1].rule in RULES]


def test_each_finding_names_another_place_that_is_there(everything: list[tuple[Repository, Finding]]) -> None:
    assert len(everything) > 100
    for repository, finding in everything:
        assert finding.related
        for location in (finding.location, *(each.location for each in finding.related)):
            assert location.span is not None
            assert location.span.end_line <= len(repository.lines(location.path))
        others = {(each.location.path, each.location.span) for each in finding.related}
        assert others - {(finding.location.path, finding.location.span)}


def test_each_proposed_base_is_a_dockerfile(everything: list[tuple[Repository, Finding]]) -> None:
    proposals = [each.suggestion for _, each in everything if each.rule in ("ML304", "ML311") and each.suggestion]
    assert proposals
    for text in proposals:
        (stage,) = parse_dockerfile(text).stages
        assert any(instruction.keyword == "RUN" for instruction in stage.instructions)


def test_nobody_is_told_more_than_was_read() -> None:
    found = Counter(finding.rule for _, finding in over_all(linter(*RULES)) if finding.rule in RULES)
    assert found == READ
