"""File systems copied into one layer."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("FROM debian:12 AS b\nRUN a\nFROM scratch\nCOPY --from=b / /\n", "debian:12"),
        ("FROM debian:12\nFROM scratch\nCOPY --from=0 /. /\n", "debian:12"),
        ("FROM debian:12 AS b\nFROM scratch\nCOPY --from=b /* /\n", "debian:12"),
        ("FROM alpine:3 AS a\nFROM a AS b\nFROM scratch\nCOPY --link --from=b / /\n", "alpine:3"),
        ("FROM python:3.13 AS b\nFROM python:3.13\nCOPY --from=b / /\n", "python:3.13"),
        ("FROM mine/base:1 AS b\nRUN apt-get install -y a\nFROM scratch\nCOPY --from=b / /\n", "mine/base:1"),
        ("FROM scratch\nCOPY --from=ubuntu:24.04 / /\n", "ubuntu:24.04"),
    ],
)
def test_a_flattened_base(text: str, base: str) -> None:
    assert [found[1] for found in evidence("ML109", text, "base")] == [base]


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch AS b\nCOPY a /a\nFROM scratch\nCOPY --from=b / /\n",
        "FROM --platform=$BUILDPLATFORM tonistiigi/xx:1.6 AS xx\nFROM golang:1 AS b\nCOPY --from=xx / /\n",
        "FROM scratch\nCOPY --from=tonistiigi/binfmt:1 / /\n",  # what it holds is not known
        "FROM debian:12 AS b\nFROM scratch\nCOPY --from=b /rootfs/ /\n",
        "FROM debian:12 AS b\nFROM debian:12\nCOPY --from=b / /chroot/\n",
        "FROM debian:12 AS b\nFROM scratch AS c\nCOPY --from=b / /\nFROM scratch\nCOPY --from=c /bin/a /a\n",
        "FROM scratch\nADD rootfs.tar.xz /\n",  # a base is made so
        "FROM debian:12\nCOPY . /\n",
    ],
)
def test_nothing_is_flattened(text: str) -> None:
    assert findings("ML109", text) == []
