"""Dockerfiles of which several images are built: each is looked at, and what they have in common is told once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checks import findings
from support.linting import linter, repository, write

APT = "RUN apt-get update && apt-get install -y"
COMPOSE = "services: {api: {build: {context: ., target: api}}, worker: {build: {context: ., target: worker}}}\n"


def places(rule: str, files: dict[str, str], root: str = ".") -> list[tuple[str, int]]:
    found = findings(rule, files, root)
    return [(each.location.path, each.location.span.line) for each in found if each.location.span]


@pytest.mark.parametrize(
    ("rule", "text", "lines"),
    [
        ("ML101", "FROM python AS api\nFROM node AS web\nFROM debian:12\n", [1, 2]),
        ("ML101", "FROM python AS base\nFROM base AS api\nFROM base AS web\n", [1]),
        (
            "ML103",
            f"FROM debian:12 AS api\nCOPY . .\n{APT} libpq5\nFROM debian:12 AS web\nCOPY . .\n{APT} nginx\n",
            [2, 5],
        ),
        ("ML104", f"FROM debian:12 AS b\nARG GIT_SHA\nFROM b AS api\n{APT} libpq5\nFROM b AS web\n{APT} nginx\n", [2]),
        ("ML105", "FROM debian:12 AS worker\nRUN chown -R nobody /usr/lib\nFROM debian:12 AS web\n", [2]),
        ("ML105", "FROM debian:12 AS b\nRUN chmod +x /usr/bin/env\nFROM b AS api\nFROM b AS web\n", [2]),
        (
            "ML106",
            "FROM debian:12 AS prod\nRUN apt-get upgrade -y\nFROM debian:12 AS test\nCOPY --from=prod /x /x\n",
            [2],
        ),
        ("ML106", "FROM debian:12 AS lint\nRUN apt-get upgrade -y\nFROM debian:12\n", []),
        ("ML107", "FROM golang:1.25 AS api\nRUN go build -o /a && upx /a\nFROM debian:12\n", [2]),
        ("ML108", "FROM python:3.13 AS worker\nCMD pip install x && python w\nFROM debian:12\n", [2]),
        ("ML108", "FROM python:3.13 AS b\nCMD pip install x && python w\nFROM b AS api\nFROM b AS web\n", [2]),
        ("ML109", "FROM a:1 AS x\nFROM scratch AS api\nCOPY --from=debian:12 / /\nFROM a:1\n", [3]),
        (
            "ML113",
            "FROM python:3.13 AS api\nRUN python -m venv --copies /v\nFROM python:3.13 AS web\n",
            [2],
        ),
        ("ML114", "FROM python:3.13-slim AS api\nRUN apt-get install -y python3-numpy\nFROM debian:12\n", [2]),
        ("ML115", "FROM debian:12 AS api\nRUN cp /usr/lib/libssl.so.3 /opt/\nFROM debian:12\n", [2]),
    ],
)
def test_each_image_is_looked_at(rule: str, text: str, lines: list[int]) -> None:
    assert [line for _, line in places(rule, {"Dockerfile": text})] == lines


def test_a_stage_that_a_compose_file_names(tmp_path: Path) -> None:
    text = "FROM debian:12 AS api\nRUN apt-get upgrade -y\nFROM debian:12\nCOPY --from=api /x /x\n"
    assert places("ML106", {"Dockerfile": text}, str(tmp_path)) == []
    write(tmp_path, {"compose.yaml": COMPOSE})
    assert places("ML106", {"Dockerfile": text}, str(tmp_path)) == [("Dockerfile", 2)]


@pytest.mark.parametrize(
    ("rule", "text", "lines"),
    [
        ("ML301", "FROM python:3.13 AS api\nFROM python:3.13 AS web\nFROM python:3.12 AS job\n", [3]),
        ("ML301", "FROM python:3.13 AS b\nFROM b AS api\nFROM b AS web\nFROM python:3.12 AS job\n", [4]),
        ("ML301", "FROM python:3.13 AS b\nFROM b AS api\nFROM b AS web\n", []),
        ("ML301", "FROM python:3.13 AS api\nFROM python:3.12 AS test\n", []),  # that does not run beside it
        ("ML302", "FROM python:3.13 AS api\nFROM node:22 AS web\nFROM nginx:1.29-alpine AS proxy\n", [3]),
        ("ML303", "FROM python:3.13 AS api\nFROM python:3.13-slim AS web\n", [1]),
        ("ML304", f"FROM debian:12 AS api\n{APT} libpq5 && a\nFROM debian:12 AS web\n{APT} libpq5 && b\n", [2]),
        ("ML304", f"FROM debian:12 AS b\n{APT} libpq5 && a\nFROM b AS api\nRUN a\nFROM b AS web\n", []),
        ("ML305", f"FROM debian:12 AS api\n{APT} libpq5 nginx\nFROM debian:12 AS web\n{APT} nginx libpq5\n", [4]),
        (
            "ML306",
            "FROM a:1 AS api\nRUN pip install numpy==1.26.4\nFROM a:1 AS web\nRUN pip install numpy==2.3.1\n",
            [2],
        ),
        ("ML306", "FROM a:1 AS b\nRUN pip install numpy==1.26.4\nFROM b AS api\nFROM b AS web\n", []),
        ("ML308", f"FROM debian:12 AS api\n{APT} libpq5\nFROM debian:12 AS web\nENV A=b\n{APT} libpq5\n", [5]),
        ("ML309", "FROM python:3.13-bookworm AS api\nFROM node:22-bullseye AS web\n", [2]),
        ("ML311", f"FROM debian:12 AS api\n{APT} libpq5\nFROM debian:12 AS web\n{APT} libpq5\n", [2]),
        ("ML311", f"FROM debian:12 AS b\n{APT} libpq5\nFROM b AS api\nRUN a\nFROM b AS web\nRUN b\n", []),
    ],
)
def test_images_of_one_dockerfile_are_compared(rule: str, text: str, lines: list[int]) -> None:
    assert [line for _, line in places(rule, {"Dockerfile": text})] == lines


COMMON = f"FROM debian:12 AS b\n{APT} libpq5 nginx\nFROM b AS api\nRUN a\nFROM b AS web\nRUN b\n"


@pytest.mark.parametrize(
    ("rule", "other", "count", "where"),
    [
        ("ML301", "FROM debian:11\n", 1, "a/Dockerfile:1"),
        ("ML304", f"FROM debian:12\n{APT} libpq5 && c\n", 2, "c/Dockerfile:2"),
        ("ML311", f"FROM debian:12\n{APT} libpq5 nginx\nRUN c\n", 2, "c/Dockerfile:2"),
    ],
)
def test_what_two_images_have_in_common_counts_once(rule: str, other: str, count: int, where: str) -> None:
    (found,) = findings(rule, {"a/Dockerfile": COMMON, "c/Dockerfile": other})
    assert (found.evidence["count"], found.evidence["where"]) == (count, where)


def test_most_images_decide_which_base_is_usual() -> None:
    files = {"a/Dockerfile": COMMON.replace("12", "11"), "b/Dockerfile": "FROM debian:12\n"}
    assert places("ML301", files) == [("b/Dockerfile", 1)]


def test_no_two_findings_are_one() -> None:
    texts = (COMMON, COMMON.replace("12", "11"), COMMON.replace("libpq5 nginx", "nginx libpq5"))
    files = repository({f"{name}/Dockerfile": text for name, text in zip("abc", texts, strict=True)})
    found, _ = linter().findings(files, files.paths)
    assert len({each.fingerprint for each in found}) == len(found) > 0
