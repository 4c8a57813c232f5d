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
        ({"a": "debian:12", "b": "debian:bookworm"}, []),  # two names of one build
        ({"a": "debian:12-slim", "b": "debian:bookworm-slim"}, []),
        ({"a": "ubuntu:24.04", "b": "ubuntu:noble"}, []),
        ({"a": "public.ecr.aws/docker/library/python:3.13", "b": "python:3.13"}, []),
        ({"a": "debian:12", "b": "debian:bookworm", "c": "debian:12.5"}, ["c"]),  # a build of its own
        ({"a": "debian:11", "b": "debian:bookworm", "c": "debian:12"}, ["a"]),
        ({"a": "node:22", "b": "node:22-bookworm"}, []),  # one as long as that is the default
        ({"a": "python:3.13-slim", "b": "python:3.13-slim-bookworm"}, []),
        ({"a": "node:22-bullseye", "b": "node:22-bookworm", "c": "node:22-bookworm", "d": "node:22"}, ["a"]),
        ({"a": "python:3.13", "b": "python:3.13-alpine"}, []),  # that is ML303
        ({"a": "python:3.13", "b": "python:3.13", "c": "python:3.13-alpine"}, ["c"]),
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
        ("python:3.13", "python:3.13-alpine", True),
        ("python:3.13-bookworm", "python:3.13-alpine3.22", True),
        ("node:22", "gcr.io/distroless/nodejs22-debian12", True),
        ("node:22-bookworm", "gcr.io/distroless/nodejs22-debian12:nonroot", True),
        ("node:20", "gcr.io/distroless/nodejs22-debian12", False),
        ("node:22-bullseye", "gcr.io/distroless/nodejs22-debian12", False),
        ("debian:12", "gcr.io/distroless/base-debian12", True),
        ("debian:bookworm", "gcr.io/distroless/cc-debian12", True),
        ("debian:12", "gcr.io/distroless/base-debian11", False),
        ("debian:12", "gcr.io/distroless/static-debian12", False),  # nothing in it is mapped
        ("registry.access.redhat.com/ubi9/ubi:9.4", "registry.access.redhat.com/ubi9/ubi-minimal:9.4", True),
        ("registry.access.redhat.com/ubi9", "registry.access.redhat.com/ubi9-minimal", True),
        ("registry.access.redhat.com/ubi9/ubi", "registry.access.redhat.com/ubi9/ubi-micro", True),
        ("registry.access.redhat.com/ubi9/nodejs-22", "registry.access.redhat.com/ubi9/nodejs-22-minimal", True),
        ("registry.access.redhat.com/ubi9/ubi", "registry.access.redhat.com/ubi8/ubi-minimal", False),
        ("node:22-bookworm", "node:22-bullseye-slim", False),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "mcr.microsoft.com/dotnet/aspnet:8.0-bookworm-slim", False),  # the same
        ("python:3.13-slim", "python:3.13-slim", False),
        ("eclipse-temurin:21-jdk", "eclipse-temurin:21-jre-alpine", False),
        ("vendor/thing:1", "vendor/thing:1-slim", False),
    ],
)
def test_full_beside_slim(full: str, slim: str, found: bool) -> None:
    assert places("ML303", froms(a=slim, b=full)) == (["b/Dockerfile:1"] if found else [])


@pytest.mark.parametrize(
    ("full", "small", "steps", "condition"),
    [
        ("python:3.13", "python:3.13-slim", "RUN pip install a", "nothing here needs the full one"),
        ("python:3.13", "python:3.13-alpine", "RUN pip install a", "all of it runs on musl"),
        ("python:3.13", "python:3.13-alpine", "RUN apt-get install -y libpq5", None),
        (
            "debian:12",
            "gcr.io/distroless/base-debian12",
            'CMD ["/a"]',
            "nothing here needs a shell or more of the distribution",
        ),
        ("debian:12", "gcr.io/distroless/base-debian12", "CMD /a", None),
        ("debian:12", "gcr.io/distroless/base-debian12", "RUN mkdir /b", None),
        ("debian:12", "debian:bookworm-slim", "RUN mkdir /b", "nothing here needs the full one"),
    ],
)
def test_what_has_to_hold_for_a_smaller_base(full: str, small: str, steps: str, condition: str | None) -> None:
    files = {**froms(a=small), "b/Dockerfile": f"FROM {full}\nCOPY b /srv\n{steps}\n"}
    assert [each.evidence["condition"] for each in findings("ML303", files)] == ([condition] if condition else [])


def test_one_with_another_libc_only_where_more_stand_on_it() -> None:
    files = froms(a="python:3.13", b="python:3.13", c="python:3.13-alpine")
    assert findings("ML303", files) == []
    assert places("ML303", {**files, **froms(d="python:3.13-alpine")}) == ["a/Dockerfile:1", "b/Dockerfile:1"]


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
