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
        "FROM mcr.microsoft.com/windows/nanoserver",
        "# memlint global ignore=ML101\nFROM debian",
    ],
)
def test_a_base_that_is_no_business_of_ours(text: str) -> None:
    assert findings("ML101", text) == []


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
