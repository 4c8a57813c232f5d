"""Bases of a repository that part: builds of one base, libc families, full beside slim, releases."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from support.checks import findings


def froms(**bases: str) -> dict[str, str]:
    """A Dockerfile per service, with nothing but its base and a file."""
    return {f"{name}/Dockerfile": f"FROM {base}\nCOPY {name} /srv\n" for name, base in bases.items()}


def places(rule: str, files: Mapping[str, str]) -> list[str]:
    return [f"{each.location.path}:{each.location.span.line}" for each in findings(rule, files) if each.location.span]


@pytest.mark.parametrize(
    ("bases", "where"),
    [
        ({"a": "python:3.13-slim", "b": "python:3.13-slim", "c": "python:3.12-slim"}, ["c"]),
        ({"a": "python:3.9", "b": "python:3.11"}, ["a"]),  # of as many the newest is the usual one
        ({"a": "docker.io/library/python:3.13", "b": "python:3.13"}, []),
        ({"a": "python:3.13@sha256:" + "a" * 64, "b": "python:3.13@sha256:" + "b" * 64}, ["b"]),
        ({"a": "python:3@sha256:" + "a" * 64, "b": "python:3.13@sha256:" + "a" * 64}, []),
        ({"a": "python:3.13-slim", "b": "python:3.13-alpine", "c": "python:3.13-alpine"}, ["a"]),
        ({"a": "python:3.13", "b": "python:3.13-slim"}, []),  # that is ML303
        ({"a": "python:3.13", "b": "node:22"}, []),
        ({"a": "scratch", "b": "scratch"}, []),
        ({"a": "${BASE}", "b": "python:3.13", "c": "python:3.13"}, []),
        ({"a": "registry.example/own/base:1", "b": "registry.example/own/base:2", "base": "debian:12"}, []),
        ({"a": "mcr.microsoft.com/windows/nanoserver:1809", "b": "mcr.microsoft.com/windows/nanoserver:2022"}, []),
    ],
)
def test_drift(bases: dict[str, str], where: list[str]) -> None:
    assert places("ML301", froms(**bases)) == [f"{name}/Dockerfile:1" for name in where]


def test_drift_names_the_majority() -> None:
    (found,) = findings("ML301", froms(a="node:20", b="node:22", c="node:22", d="node:22"))
    assert found.evidence["usual"] == "node:22"
    assert found.evidence["where"] == "b/Dockerfile:1 and 2 more"
    assert [each.location.path for each in found.related] == ["b/Dockerfile", "c/Dockerfile", "d/Dockerfile"]


def test_only_the_base_of_the_image_counts() -> None:
    built = "FROM golang:1.24 AS build\nRUN go build\nFROM debian:12\nCOPY --from=build /a /a\n"
    other = "FROM golang:1.25 AS build\nRUN go build\nFROM debian:12\nCOPY --from=build /b /b\n"
    assert findings("ML301", {"a/Dockerfile": built, "b/Dockerfile": other}) == []
    inherited = "FROM debian:11 AS base\nRUN a\nFROM base\nCOPY b /b\n"
    assert places("ML301", {"a/Dockerfile": built, "b/Dockerfile": inherited}) == ["b/Dockerfile:1"]


@pytest.mark.parametrize(
    ("bases", "where"),
    [
        ({"a": "python:3.13", "b": "node:22", "c": "nginx:alpine"}, ["c"]),
        ({"a": "python:3.13-alpine", "b": "node:22-alpine", "c": "nginx:1.29", "d": "redis:8-alpine"}, ["c"]),
        ({"a": "python:3.13", "b": "nginx:alpine"}, []),  # two images are no fleet
        ({"a": "python:3.13", "b": "node:22", "c": "nginx:1.29"}, []),
        ({"a": "python:3.13", "b": "node:22", "c": "vendor/thing:1"}, []),
        ({"a": "python:3.13", "b": "node:22", "c": "gcr.io/distroless/static-debian12"}, []),
    ],
)
def test_libc_families(bases: dict[str, str], where: list[str]) -> None:
    assert places("ML302", froms(**bases)) == [f"{name}/Dockerfile:1" for name in where]


def test_a_static_program_on_alpine_may_map_no_libc() -> None:
    static = "FROM golang:1.25 AS build\nRUN go build\nFROM alpine:3.22\nCOPY --from=build /a /a\n"
    files = {**froms(a="python:3.13", b="node:22"), "c/Dockerfile": static}
    assert findings("ML302", files) == []
    assert findings("ML302", {**files, "c/Dockerfile": static.replace("golang", "node")}) != []


@pytest.mark.parametrize(
    ("full", "slim", "found"),
    [
        ("python:3.13", "python:3.13-slim", True),
        ("node:22-bookworm", "node:22-bookworm-slim", True),
        ("eclipse-temurin:21-jdk", "eclipse-temurin:21-jre", True),
        ("python:3.13", "python:3.12-slim", False),
        ("python:3.13", "python:3.13-alpine", False),
        ("python:3.13-slim", "python:3.13-slim", False),
        ("eclipse-temurin:21-jdk", "eclipse-temurin:21-jre-alpine", False),
        ("vendor/thing:1", "vendor/thing:1-slim", False),
    ],
)
def test_full_beside_slim(full: str, slim: str, found: bool) -> None:
    assert places("ML303", froms(a=slim, b=full)) == (["b/Dockerfile:1"] if found else [])


@pytest.mark.parametrize("run", ["make", "git clone a", "cd /a && gcc b.c", "curl -O https://a.example/b"])
def test_a_full_base_that_is_needed(run: str) -> None:
    files = {**froms(a="python:3.13-slim"), "b/Dockerfile": f"FROM python:3.13\nRUN {run}\n"}
    assert findings("ML303", files) == []
    installed = f"FROM python:3.13\nRUN apt-get update && apt-get install -y {run.split()[0]}\nRUN {run}\n"
    needed = run.startswith("cd ")  # what is installed is no reason
    assert bool(findings("ML303", {**files, "b/Dockerfile": installed})) != needed


@pytest.mark.parametrize(
    ("bases", "where"),
    [
        ({"a": "python:3.13-slim-bookworm", "b": "node:22-bullseye-slim"}, ["b"]),
        ({"a": "python:3.13-slim-bookworm", "b": "node:22-bookworm-slim"}, []),
        ({"a": "python:3.13-bookworm", "b": "node:22-bullseye-slim"}, []),  # full and slim have no layer in common
        ({"a": "python:3.13-slim", "b": "node:22-bullseye-slim"}, []),  # the release of one is not known
        ({"a": "python:3.12-slim-bookworm", "b": "python:3.12-slim-bullseye"}, []),  # that is ML301
        ({"a": "python:3.13-alpine3.21", "b": "node:22-alpine3.22", "c": "nginx:1.29-alpine3.22"}, ["a"]),
        ({"a": "ubuntu:22.04", "b": "debian:12"}, []),
        ({"a": "gcr.io/distroless/static-debian11", "b": "gcr.io/distroless/cc-debian12"}, []),
    ],
)
def test_releases(bases: dict[str, str], where: list[str]) -> None:
    assert places("ML309", froms(**bases)) == [f"{name}/Dockerfile:1" for name in where]
