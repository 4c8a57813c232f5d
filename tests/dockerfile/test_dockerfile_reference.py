"""What the name of a base image tells, and what it leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dockerfiles import corpus_dockerfiles

from memlint.dockerfile.parser import parse_dockerfile
from memlint.dockerfile.reference import BaseImage, parse_base
from memlint.errors import DockerfileError

DIGEST = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debian", ("debian", None, None)),
        ("debian:12", ("debian", "12", None)),
        (f"debian@{DIGEST}", ("debian", None, DIGEST)),
        (f"debian:12-slim@{DIGEST}", ("debian", "12-slim", DIGEST)),
        ("library/debian", ("debian", None, None)),
        ("docker.io/debian", ("debian", None, None)),
        ("docker.io/library/debian:12", ("debian", "12", None)),
        ("index.docker.io/library/debian", ("debian", None, None)),
        ("registry-1.docker.io/library/debian", ("debian", None, None)),
        ("docker.io/grafana/k6", ("grafana/k6", None, None)),
        ("localhost/debian", ("localhost/debian", None, None)),
        ("localhost:5000/a/b:c", ("localhost:5000/a/b", "c", None)),
        ("Registry.Example.com/a:1", ("registry.example.com/a", "1", None)),
        ("ghcr.io/library/a", ("ghcr.io/library/a", None, None)),
        ("a__b/c-d.e:F_1.2-x", ("a__b/c-d.e", "F_1.2-x", None)),
        ("scratch", ("scratch", None, None)),
    ],
)
def test_references(text: str, expected: tuple[str, str | None, str | None]) -> None:
    found = parse_base(text)
    assert found is not None
    assert (found.repository, found.tag, found.digest) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":12",
        "@",
        "debian:",
        "debian@",
        "debian@sha256:12",
        "Debian",
        "de bian",
        "$BASE",
        "debian:${TAG}",
        "a//b",
        "a/",
        "/a",
        "a:b:c",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert parse_base(text) is None


@pytest.mark.parametrize(
    ("text", "family", "libc", "release", "variant"),
    [
        # systems
        ("scratch", "scratch", None, None, "scratch"),
        ("debian", "debian", "glibc", None, ""),
        ("debian:12.5", "debian", "glibc", "bookworm", ""),
        ("debian:bookworm-20240110-slim", "debian", "glibc", "bookworm", "slim"),
        ("debian:stable-slim", "debian", "glibc", None, "slim"),
        ("ubuntu:22.04", "ubuntu", "glibc", "jammy", ""),
        ("ubuntu:noble-20240423", "ubuntu", "glibc", "noble", ""),
        ("ubuntu:latest", "ubuntu", "glibc", None, ""),
        ("alpine", "alpine", "musl", None, "alpine"),
        ("alpine:3.20.1", "alpine", "musl", "alpine3.20", "alpine"),
        ("alpine:edge", "alpine", "musl", None, "alpine"),
        ("busybox:1.36", "busybox", None, None, "busybox"),
        ("busybox:1.36-musl", "busybox", "musl", None, "busybox"),
        ("busybox:glibc", "busybox", "glibc", None, "busybox"),
        ("busybox:uclibc", "busybox", None, None, "busybox"),
        ("fedora:40", "fedora", "glibc", "fedora40", ""),
        ("registry.fedoraproject.org/fedora-minimal:40", "fedora", "glibc", "fedora40", "minimal"),
        ("centos:7", "centos", "glibc", "centos7", ""),
        ("quay.io/centos/centos:stream9", "centos", "glibc", "centos9", ""),
        ("rockylinux:9-minimal", "rocky", "glibc", "rocky9", "minimal"),
        ("almalinux:9.3", "almalinux", "glibc", "almalinux9", ""),
        ("oraclelinux:8-slim", "ol", "glibc", "ol8", "slim"),
        ("amazonlinux:2023", "amzn", "glibc", "al2023", ""),
        ("amazonlinux:2", "amzn", "glibc", "al2", ""),
        ("archlinux:base", "arch", "glibc", None, ""),
        ("opensuse/leap:15.5", "opensuse-leap", "glibc", "opensuse-leap15", ""),
        # official images
        ("python:3.12", "debian", "glibc", None, ""),
        ("python:3.12-slim-bookworm", "debian", "glibc", "bookworm", "slim"),
        ("python:3.12-alpine", "alpine", "musl", None, "alpine"),
        ("python:3.12-windowsservercore-ltsc2022", "windows", None, None, ""),
        ("node:20-alpine3.19", "alpine", "musl", "alpine3.19", "alpine"),
        ("node:lts-slim", "debian", "glibc", None, "slim"),
        ("golang:1.22", "debian", "glibc", None, ""),
        ("php:8.2-fpm-alpine3.20", "alpine", "musl", "alpine3.20", "alpine"),
        ("php:8.2-apache-bullseye", "debian", "glibc", "bullseye", ""),
        ("nginx:1.25-alpine-slim", "alpine", "musl", None, "alpine"),
        ("postgres:16", "debian", "glibc", None, ""),
        ("redis:7.2-bookworm", "debian", "glibc", "bookworm", ""),
        ("openjdk:8-jre-slim", "debian", "glibc", None, "slim"),
        ("openjdk:11", "debian", "glibc", None, ""),
        ("openjdk:17", "ol", "glibc", None, ""),
        ("openjdk:17-oraclelinux8", "ol", "glibc", "ol8", ""),
        ("openjdk:18-oracle", "ol", "glibc", None, ""),
        ("maven:3-amazoncorretto-17", "amzn", "glibc", None, ""),
        ("openjdk:latest", None, None, None, None),
        ("eclipse-temurin:17-jre", "ubuntu", "glibc", None, ""),
        ("eclipse-temurin:17-jre-ubi9-minimal", "rhel", "glibc", "ubi9", "minimal"),
        ("eclipse-temurin:17-jre-alpine", "alpine", "musl", None, "alpine"),
        ("amazoncorretto:17-al2023-headless", "amzn", "glibc", "al2023", ""),
        ("amazoncorretto:17", "amzn", "glibc", None, ""),
        ("maven:3.9-eclipse-temurin-17", "ubuntu", "glibc", None, ""),
        ("maven:3-jdk-8", None, None, None, None),
        # vendors
        ("gcr.io/distroless/static-debian12:nonroot", "debian", None, "bookworm", "distroless"),
        ("gcr.io/distroless/base", "debian", "glibc", None, "distroless"),
        ("gcr.io/distroless/java17-debian11:debug", "debian", "glibc", "bullseye", "distroless"),
        ("cgr.dev/chainguard/python", "wolfi", "glibc", None, "distroless"),
        ("cgr.dev/chainguard/python:latest-dev", "wolfi", "glibc", None, ""),
        ("cgr.dev/chainguard/wolfi-base", "wolfi", "glibc", None, ""),
        ("cgr.dev/chainguard/static", "wolfi", None, None, "distroless"),
        ("cgr.dev/chainguard/static:latest-glibc", "wolfi", "glibc", None, "distroless"),
        ("registry.access.redhat.com/ubi9/ubi-minimal:9.4", "rhel", "glibc", "ubi9", "minimal"),
        ("registry.access.redhat.com/ubi8", "rhel", "glibc", "ubi8", ""),
        ("redhat/ubi9-micro", "rhel", "glibc", "ubi9", "micro"),
        ("registry.access.redhat.com/ubi8/python-39", "rhel", "glibc", "ubi8", ""),
        ("mcr.microsoft.com/dotnet/aspnet:8.0", "debian", "glibc", "bookworm", ""),
        ("mcr.microsoft.com/dotnet/sdk:10.0.100", "ubuntu", "glibc", "noble", ""),
        ("mcr.microsoft.com/dotnet/runtime:8.0-jammy-chiseled", "ubuntu", "glibc", "jammy", "chiseled"),
        ("mcr.microsoft.com/dotnet/runtime-deps:8.0-alpine3.20", "alpine", "musl", "alpine3.20", "alpine"),
        ("mcr.microsoft.com/dotnet/sdk:8.0-cbl-mariner2.0", "mariner", "glibc", "mariner2.0", ""),
        ("mcr.microsoft.com/windows/nanoserver:ltsc2022", "windows", None, None, ""),
        ("mcr.microsoft.com/dotnet/sdk:latest", None, None, None, None),
        # mirrors, and names of which only the tag tells something
        ("public.ecr.aws/docker/library/python:3.12-slim", "debian", "glibc", None, "slim"),
        ("mirror.gcr.io/library/debian:12", "debian", "glibc", "bookworm", ""),
        ("nvidia/cuda:12.2.0-runtime-ubuntu22.04", "ubuntu", "glibc", "jammy", None),
        ("bitnami/redis:7.2-debian-12-r0", "debian", "glibc", "bookworm", None),
        ("ghcr.io/astral-sh/uv:python3.12-bookworm-slim", "debian", "glibc", "bookworm", "slim"),
        ("example/tool:1-alpine", "alpine", "musl", None, "alpine"),
        ("example/tool:1-slim", None, None, None, "slim"),
        ("example/debian:12", None, None, None, None),
        ("example/tool", None, None, None, None),
    ],
)
def test_what_a_name_tells(
    text: str, family: str | None, libc: str | None, release: str | None, variant: str | None
) -> None:
    found = parse_base(text)
    assert found is not None
    assert (found.family, found.libc, found.release, found.variant) == (family, libc, release, variant)


def test_a_mirror_is_another_repository() -> None:
    found = parse_base("public.ecr.aws/docker/library/python:3")
    assert found is not None
    assert found.repository == "public.ecr.aws/docker/library/python"


@given(st.text(alphabet="adebinlp:@/.-_0129$ A", max_size=40))
def test_any_text_is_a_reference_or_none(text: str) -> None:
    found = parse_base(text)
    assert found is None or isinstance(found, BaseImage)
    if found is not None:
        assert found.variant is None or isinstance(found.variant, str)
        assert found.libc in ("glibc", "musl", None)
        again = found.repository + (f":{found.tag}" if found.tag else "") + (f"@{found.digest}" if found.digest else "")
        assert parse_base(again) == found


def test_the_bases_of_real_dockerfiles() -> None:
    known = total = 0
    for path in corpus_dockerfiles():
        try:
            stages = parse_dockerfile(path.read_bytes(), path.name).stages
        except DockerfileError:
            continue
        for stage in stages:
            if stage.parent is None and stage.base is not None:
                base = parse_base(stage.base)
                assert base is not None, stage.base
                total += 1
                known += base.family is not None
    assert total > 700
    assert known / total > 0.8
