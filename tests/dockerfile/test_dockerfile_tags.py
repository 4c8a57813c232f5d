"""Which tags name a version."""

from __future__ import annotations

import pytest

from memlint.dockerfile.tags import kept, moves


@pytest.mark.parametrize(
    ("tag", "variant"),
    [
        (None, ""),
        ("latest", ""),
        ("slim", "-slim"),
        ("alpine", "-alpine"),
        ("jre-alpine", "-jre-alpine"),
        ("current", ""),
        ("lts", ""),
        ("lts-alpine3.20", "-alpine3.20"),
        ("lts-bookworm-slim", "-bookworm-slim"),
        ("stable-slim", "-slim"),
        ("latest-debian", "-debian"),
        ("nightly-bookworm", "-bookworm"),
        ("edge", ""),
        ("rolling", ""),
        ("sid", ""),
        ("sid-slim", "-slim"),
        ("devel", ""),
        ("main", ""),
        ("Nightly", ""),
        ("nonroot", "-nonroot"),
        ("debug", "-debug"),
        ("latest-py3", "-py3"),
        ("latest-amd64", "-amd64"),
        ("latest-x86_64", "-x86-64"),
        ("production", "-production"),
    ],
)
def test_a_tag_that_moves(tag: str | None, variant: str) -> None:
    assert moves(tag)
    assert kept(tag) == variant


@pytest.mark.parametrize(
    "tag",
    [
        *("12", "3.13-slim", "v1", "bookworm", "bookworm-slim", "noble", "alpine3.20", "sid-20240612", "2019-latest"),
        *("stable-20240612-slim", "nightly-2024-01-01", "1.2.3-dev", "main-0d8498a", "deadbee", "8-jdk-alpine"),
        *("RELEASE.2019-08-14T20-37-41Z", "ubuntu24.04", "r151", "cuda12.4-devel"),
    ],
)
def test_a_tag_that_names_a_version(tag: str) -> None:
    assert not moves(tag)
