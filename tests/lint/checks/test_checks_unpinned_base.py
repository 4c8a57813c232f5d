"""Bases without a version, and without a digest."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings

DIGEST = "sha256:" + "0d" * 32


@pytest.mark.parametrize(
    ("text", "base", "lack"),
    [
        ("FROM debian", "debian", "has no tag"),
        ("FROM debian:latest", "debian:latest", "is whatever is newest"),
        ("FROM docker.io/library/debian AS a", "docker.io/library/debian", "has no tag"),
        ("FROM registry.example:5000/team/tool", "registry.example:5000/team/tool", "has no tag"),
        ("ARG TAG=latest\nFROM debian:${TAG}", "debian:latest", "is whatever is newest"),
        ("ARG BASE=debian\nFROM $BASE", "debian", "has no tag"),
        ("FROM debian AS a\nFROM a\nRUN true", "debian", "has no tag"),
        *(
            (f"FROM {base}", base, "is whatever is newest")
            for base in ("python:slim", "node:lts-alpine3.20", "eclipse-temurin:jre-alpine", "ubuntu:rolling")
        ),
        *(
            (f"FROM {base}", base, "is whatever is newest")
            for base in ("alpine:edge", "debian:sid", "debian:stable-slim", "acme/x:nightly", "quay.io/acme/app:main")
        ),
        ("FROM gcr.io/distroless/static:nonroot", "gcr.io/distroless/static:nonroot", "is whatever is newest"),
        ("FROM ghcr.io/acme/node-base:latest", "ghcr.io/acme/node-base:latest", "is whatever is newest"),
        ("FROM ghcr.io/home-assistant/amd64-base", "ghcr.io/home-assistant/amd64-base", "has no tag"),
        ("FROM amazon/aws-sam-cli-build-image", "amazon/aws-sam-cli-build-image", "has no tag"),
        ("FROM golang:1.24 AS build\nFROM alpine\nCOPY --from=build /a /a", "alpine", "has no tag"),
    ],
)
def test_a_base_without_a_version(text: str, base: str, lack: str) -> None:
    assert [found[1:] for found in evidence("ML101", text, "base", "lack")] == [(base, lack)]


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian:12",
        f"FROM debian@{DIGEST}",
        f"FROM debian:latest@{DIGEST}",
        "FROM scratch",
        "FROM golang AS build\nFROM scratch\nCOPY --from=build /a /a",  # nothing of that base is in the image
        "ARG BASE\nFROM $BASE",
        "ARG TAG\nFROM debian:$TAG",
        "ARG OWNER=me\nARG BASE=registry.example/$OWNER/tool\nFROM $BASE",  # put together: builds pass it
        "FROM base",  # a context of this build
        "FROM web-base:latest",
        "FROM web:dev",  # nobody publishes under a name without an owner but Docker, and this is none of theirs
        "FROM python:slim-bookworm",
        "ARG TAG=3.13\nFROM python:$TAG-slim",
        "FROM mcr.microsoft.com/windows/nanoserver",
        "# memlint global ignore=ML101\nFROM debian",
    ],
)
def test_a_base_that_is_no_business_of_ours(text: str) -> None:
    assert findings("ML101", text) == []


@pytest.mark.parametrize(
    ("base", "advice"),
    [
        ("debian", "debian:VERSION@sha256:… "),
        ("debian:latest", "debian:VERSION@sha256:… "),
        ("python:slim", "python:VERSION-slim@sha256:… "),
        ("node:lts-alpine", "node:VERSION-alpine@sha256:… "),
        ("alpine:edge", "alpine:VERSION@sha256:… "),
        ("gcr.io/distroless/static:nonroot", "gcr.io/distroless/static:nonroot@sha256:… "),  # it has no versions
        ("gcr.io/distroless/base-debian12", "gcr.io/distroless/base-debian12@sha256:… "),
        ("cgr.dev/chainguard/python:latest", "cgr.dev/chainguard/python:latest@sha256:… "),
    ],
)
def test_what_to_write_instead(base: str, advice: str) -> None:
    (found,) = findings("ML101", f"FROM {base}\n")
    assert (found.suggestion or "").startswith(f"write {advice}")


@pytest.mark.parametrize(
    ("path", "base", "found"),
    [
        ("web/Dockerfile", "registry.example/acme/node-base:main", 0),  # of node-base/Dockerfile
        ("web/Dockerfile", "registry.example/acme/node-base", 0),
        ("web/Dockerfile", "registry.example/acme/other-base", 1),
        ("node-base/Dockerfile.arm", "registry.example/acme/node-base:main", 1),  # it stands on its own name
    ],
)
def test_a_base_that_the_repository_builds(path: str, base: str, found: int) -> None:
    files = {"node-base/Dockerfile": "FROM debian:12\n", path: f"FROM {base}\n"}
    assert len(findings("ML101", files)) == found


def test_a_digest_is_asked_for_where_it_is_the_custom() -> None:
    found = findings("ML102", {"a/Dockerfile": f"FROM debian:12@{DIGEST}\n", "b/Dockerfile": "FROM debian:12\n"})
    assert [(finding.location.path, finding.related[0].location.path) for finding in found] == [
        ("b/Dockerfile", "a/Dockerfile")
    ]
    assert "debian:12@sha256:" in (found[0].suggestion or "")


@pytest.mark.parametrize(
    "files",
    [
        {"a/Dockerfile": "FROM debian:12\n", "b/Dockerfile": "FROM debian:12\n"},
        {"a/Dockerfile": f"FROM debian:12@{DIGEST}\n", "b/Dockerfile": "FROM debian\n"},  # that is the other rule's
        {"a/Dockerfile": f"FROM debian:12@{DIGEST}\n"} | {f"{n}/Dockerfile": "FROM debian:12\n" for n in range(12)},
    ],
)
def test_a_digest_is_not_asked_for(files: dict[str, str]) -> None:
    assert findings("ML102", files) == []


def test_a_file_that_only_uses_a_stage_is_told_at_its_base() -> None:
    (found,) = findings("ML101", "FROM golang:1 AS x\nFROM debian AS y\nFROM y\n")
    assert found.location.span is not None
    assert (found.location.span.line, found.location.span.column) == (2, 6)
