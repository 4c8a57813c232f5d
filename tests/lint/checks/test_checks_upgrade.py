"""Upgrades of what the base brought."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings, repaired


@pytest.mark.parametrize(
    ("run", "what"),
    [
        ("apt-get update && apt-get upgrade -y", "packages of the base"),
        ("apt-get -y -o Dpkg::Use-Pty=0 dist-upgrade", "packages of the base"),
        ("apt full-upgrade -y", "packages of the base"),
        ("apt-get -yqo Dpkg::Options::=--force-confold upgrade", "packages of the base"),
        ("dnf --disableplugin fastestmirror -y upgrade", "packages of the base"),
        ("zypper --non-interactive update --from updates", "packages of the base"),
        ("apk update && apk --no-cache upgrade", "packages of the base"),
        ("apk upgrade openssl libcrypto3", "openssl, libcrypto3"),
        ("apk upgrade a b c d e", "a, b, c and 2 more"),
        ("apt-get install --only-upgrade -y openssl", "openssl"),
        ("dnf -y update", "packages of the base"),
        ("yum update -y glibc", "glibc"),
        ("microdnf upgrade", "packages of the base"),
        ("zypper -n dup", "packages of the base"),
        ("pacman -Syu --noconfirm git", "packages of the base"),
        ("unattended-upgrade", "packages of the base"),
        ("DEBIAN_FRONTEND=noninteractive apt-get upgrade -y", "packages of the base"),
    ],
)
def test_an_upgrade(run: str, what: str) -> None:
    assert evidence("ML106", f"FROM debian:12\nRUN {run}\n", "what") == [(2, what)]


def test_an_upgrade_of_each_image_that_is_built_on_it() -> None:
    base = "FROM debian:12\nRUN apt-get upgrade -y\nONBUILD RUN apt-get upgrade -y\n"
    assert evidence("ML106", base) == [(2,), (3,)]
    assert repaired("ML106", base) == "FROM debian:12\nONBUILD RUN apt-get upgrade -y\n"
    files = {"base/Dockerfile": base, "web/Dockerfile": "FROM registry.example/base:1\n"}
    assert [found.location.span.line for found in findings("ML106", files) if found.location.span] == [3]
    assert evidence("ML106", "FROM debian:12 AS a\nONBUILD RUN apt-get upgrade -y\nFROM a\n") == [(2,)]


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian:12\nRUN apt-get update && apt-get install -y upgrade\n",
        "FROM debian:12\nRUN apt-get upgrade -s && apt-get upgrade --download-only\n",
        "FROM fedora:41\nRUN dnf upgrade --assumeno; dnf upgrade -y --downloadonly\n",
        "FROM archlinux\nRUN pacman -Syuw --noconfirm\n",
        "FROM debian:12\nRUN apt-get -qyst bookworm-backports upgrade; apt-get --print-uris upgrade\n",
        "FROM debian:12 AS build\nRUN apt-get upgrade -y\nFROM debian:12\nCOPY --from=build /a /a\n",
        "FROM fedora:41\nRUN dnf check-update; dnf makecache\n",
        "FROM python:3.13\nRUN pip install --upgrade pip\n",
        "FROM debian:12\nRUN echo apt-get upgrade -y\n",
        "FROM debian:12\nRUN npm update && brew upgrade\n",
        "FROM debian:12\nRUN apt-get $ACTION -y\n",
        "FROM debian:12\nCMD apt-get upgrade -y\n",
    ],
)
def test_no_upgrade(text: str) -> None:
    assert findings("ML106", text) == []


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (
            "RUN apt-get update && apt-get upgrade -y && apt-get install -y a\n",
            "RUN apt-get update && apt-get install -y a\n",
        ),
        ("RUN apt-get update \\\n && apt-get upgrade -y \\\n && ls\n", "RUN apt-get update \\\n && ls\n"),
        ("RUN apt-get upgrade -y && ls\n", "RUN ls\n"),
        ("RUN ls; apt-get upgrade -y\n", None),  # it would end where ls fails
        ("RUN set -ex; ls; apt-get upgrade -y\n", "RUN set -ex; ls\n"),
        ("RUN ls; apt-get upgrade -y; id\n", "RUN ls; id\n"),
        ("RUN ls; apt-get upgrade -y && id\n", "RUN ls; id\n"),
        ("RUN ls && apt-get upgrade -y; id\n", "RUN ls; id\n"),
        ("RUN apt-get upgrade -y && \\\n  # why\n  ls\n", "RUN \\\n  # why\n  ls\n"),
        ("RUN apt-get upgrade -y \\\n  # why\n  && ls\n", "RUN \\\n  # why\nls\n"),
        ("RUN apt-get upgrade -y\nUSER app\n", "USER app\n"),
        ("RUN apt-get upgrade -y || true\n", None),
        ("RUN (apt-get upgrade -y) && ls\n", None),
        ("RUN yes | apt-get upgrade && ls\n", None),
        ('RUN ["apt-get", "upgrade", "-y"]\n', None),
    ],
)
def test_the_repair(run: str, wanted: str | None) -> None:
    assert repaired("ML106", f"FROM debian:12\n{run}") == "FROM debian:12\n" + (run if wanted is None else wanted)


def test_the_repository_s_own_base_is_the_place_for_it() -> None:
    files = {
        "images/base/Dockerfile": "FROM debian:12\nRUN apt-get upgrade -y\n",
        "images/api/Dockerfile": "FROM registry.example/base:7\nRUN apt-get upgrade -y\n",
    }
    assert [finding.location.path for finding in findings("ML106", files)] == ["images/api/Dockerfile"]


@pytest.mark.parametrize(
    "base", ["nginx:1.27", "docker.io/library/nginx:1", "mirror.gcr.io/library/nginx:1", "team/nginx:1"]
)
def test_a_base_is_not_built_here_because_a_directory_is_called_like_it(base: str) -> None:
    text = f"FROM {base}\nRUN apt-get update && apt-get upgrade -y\n"
    files = {"nginx/Dockerfile": text, "web/Dockerfile": f"FROM {base}\nCOPY . /x\n"}
    assert [finding.location.path for finding in findings("ML106", files)] == ["nginx/Dockerfile"]
    files = {"nginx/Dockerfile": f"{text}RUN chmod -R 755 /usr/sbin\n", "web/Dockerfile": f"FROM {base}\nCOPY . /x\n"}
    assert [finding.location.path for finding in findings("ML105", files)] == ["nginx/Dockerfile"]


def test_an_own_base_called_like_an_official_image() -> None:
    files = {
        "nginx/Dockerfile": "FROM nginx:1.27\nRUN apt-get update && apt-get upgrade -y\n",
        "web/Dockerfile": "FROM registry.example/team/nginx:1\nCOPY . /x\n",
    }
    assert findings("ML106", files) == []
