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
        ("FROM debian:12 AS b\nFROM scratch\nCOPY --from=b /usr/ /usr/\nCOPY --from=b /lib /lib\n", "debian:12"),
        ("FROM debian:12 AS b\nFROM debian:12\nCOPY --from=b /usr/lib /usr/lib\n", "debian:12"),
        ("FROM scratch\nCOPY --from=alpine:3 /lib/. /lib/\n", "alpine:3"),
        ("FROM debian:12\nRUN --mount=from=ubuntu:24.04,target=/mnt cp -a /mnt/. /\n", "ubuntu:24.04"),
        ("FROM debian:12\nRUN --mount=type=bind,from=ubuntu:24.04,dst=/mnt cp -R /mnt/* / && ls\n", "ubuntu:24.04"),
        ("FROM ubuntu:24.04 AS u\nFROM a/b\nRUN --mount=from=u,target=/m cp -r /m/usr /\n", "ubuntu:24.04"),
        ("FROM a/b\nRUN --mount=from=ubuntu:24.04,source=/usr,target=/m cp --archive /m/. /usr/\n", "ubuntu:24.04"),
        ("FROM a/b\nRUN --mount=from=ubuntu:24.04,target=/m rsync -aH /m/ /\n", "ubuntu:24.04"),
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
        "FROM debian:12 AS b\nFROM debian:12\nCOPY --from=b /usr/local /usr/local\n",
        "FROM debian:12 AS b\nFROM scratch\nCOPY --from=b /lib/x86_64-linux-gnu /lib/x86_64-linux-gnu\n",
        "FROM debian:12 AS b\nFROM debian:12\nCOPY --from=b /usr /opt/usr\n",
        "FROM debian:12 AS b\nFROM debian:12\nCOPY --from=b /usr/share/zoneinfo /usr/share/zoneinfo\n",
        "FROM debian:12\nRUN --mount=from=ubuntu:24.04,target=/mnt cp -a /mnt /\n",  # to /mnt
        "FROM debian:12\nRUN --mount=from=ubuntu:24.04,target=/mnt cp /mnt/bin/ls /bin/\n",
        "FROM debian:12\nRUN --mount=from=ubuntu:24.04,source=/opt,target=/mnt cp -a /mnt/. /\n",
        "FROM debian:12\nRUN --mount=type=cache,target=/mnt cp -a /mnt/. /\n",
        "FROM debian:12\nRUN --mount=source=root,target=/mnt cp -a /mnt/. /\n",  # of the build context
    ],
)
def test_nothing_is_flattened(text: str) -> None:
    assert findings("ML109", text) == []


def test_a_system_that_is_copied_in_parts_is_one_finding() -> None:
    copies = "".join(f"COPY --from=b {path} {path}\n" for path in ("/usr", "/bin", "/lib", "/lib64"))
    assert evidence("ML109", f"FROM debian:12 AS b\nFROM scratch\n{copies}", "copy", "what") == [
        (3, "COPY --from=b /usr /usr", "all of /usr")
    ]
