"""Names of one image."""

from __future__ import annotations

import pytest

from memlint.dockerfile.aliases import key_of, may_be_one
from memlint.dockerfile.reference import BaseImage, parse_base

DIGEST = "sha256:" + "a" * 64


def base(text: str) -> BaseImage:
    found = parse_base(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("debian:12", "debian:bookworm"),
        ("debian:12-slim", "docker.io/library/debian:bookworm-slim"),
        ("ubuntu:24.04", "ubuntu:noble"),
        ("buildpack-deps:22.04-curl", "buildpack-deps:jammy-curl"),
        ("centos:centos7", "centos:7"),
        ("debian", "debian:latest"),
        ("public.ecr.aws/docker/library/python:3.13", "python:3.13"),
        (f"debian:12@{DIGEST}", f"debian:bookworm@{DIGEST}"),
        (f"debian:12@{DIGEST}", f"debian@{DIGEST}"),
    ],
)
def test_names_of_one_build(one: str, other: str) -> None:
    assert key_of(base(one)) == key_of(base(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("debian:12", "debian:12.5"),
        ("debian:12", "debian:11"),
        ("debian:12", "debian:12-slim"),
        ("debian:bookworm", "debian:bookworm-20240612"),
        ("ubuntu:24.04", "debian:noble"),
        ("python:12", "python:bookworm"),
        ("debian:12", f"debian:12@{DIGEST}"),
    ],
)
def test_names_of_two_builds(one: str, other: str) -> None:
    assert key_of(base(one)) != key_of(base(other))


@pytest.mark.parametrize(
    ("one", "other", "maybe"),
    [
        ("node:22", "node:22-bookworm", True),
        ("node:22-slim", "node:22-bookworm-slim", True),
        ("python:3.13-alpine", "python:3.13-alpine3.22", True),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "mcr.microsoft.com/dotnet/aspnet:8.0-bookworm-slim", True),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "mcr.microsoft.com/dotnet/aspnet:8.0-jammy", False),
        ("node:22-bullseye", "node:22-bookworm", False),
        ("node:22", "node:22-bookworm-slim", False),
        ("node:22", "node:20-bookworm", False),
        ("python:3.13", "node:3.13-bookworm", False),
        ("debian", "debian:bookworm", False),  # the newest is another
        ("alpine:3", "alpine:3.20", False),
        (f"node:22@{DIGEST}", "node:22-bookworm", False),
    ],
)
def test_names_that_a_default_makes_one(one: str, other: str, maybe: bool) -> None:
    assert may_be_one(base(one), base(other)) == maybe
    assert may_be_one(base(other), base(one)) == maybe
