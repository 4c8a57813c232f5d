"""Copies of the build context before an install."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checks import evidence, findings, repaired

APT = "RUN apt-get update && apt-get install -y libpq5\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"FROM debian:12\nCOPY . .\n{APT}", 2),
        (f"FROM debian:12\nADD ./ /srv/\n{APT}", 2),
        (f"FROM debian:12\nCOPY * /srv/\n{APT}", 2),
        (f'FROM debian:12\nCOPY [".", "/srv"]\n{APT}', 2),
        (f"FROM debian:12\nCOPY --chown=app . .\n{APT}", 2),
        (f"FROM debian:12\nCOPY target/shop.jar /srv/\n{APT}", 2),
        (f"FROM debian:12\nCOPY src /srv/src\nRUN make\n{APT}", 2),
        ("FROM python:3.13\nCOPY . .\nRUN pip install -r requirements.txt\n", 2),
        ("FROM python:3.13\nCOPY . .\nRUN pip install numpy==2.1.0\n", 2),
        ("FROM alpine:3.20\nCOPY . .\nRUN apk add --no-cache libpq\n", 2),
        (f"FROM debian:12\nCOPY a.conf /etc/\nCOPY . .\nCOPY . /b\n{APT}", 3),  # one finding is enough
    ],
)
def test_a_copy_that_parts_the_chains(text: str, line: int) -> None:
    assert evidence("ML103", text) == [(line,)]


@pytest.mark.parametrize(
    "text",
    [
        f"FROM debian:12\n{APT}COPY . .\n",
        f"FROM debian:12 AS build\nCOPY . .\n{APT}FROM debian:12\nCOPY --from=build /a /a\n",  # of a build stage
        f"FROM debian:12 AS a\nCOPY . .\nCMD run\nFROM a AS dev\n{APT}",  # the stage below is an image that needs it
        f"FROM debian:12\nCOPY sources.list /etc/apt/\n{APT}",
        f"FROM debian:12\nCOPY --from=registry.example/x:1 / /\n{APT}",
        "FROM node:22\nCOPY . .\nRUN npm ci\n",  # scripts are not mapped
        "FROM python:3.13\nCOPY . .\nRUN pip install .\n",  # needs the context
        "FROM python:3.13\nCOPY . .\nRUN pip install -e .\n",
        "FROM python:3.13\nCOPY . .\nRUN pip install --upgrade pip\n",
        "FROM debian:12\nCOPY . .\nRUN apt-get install -y ./tool.deb\n",
        "FROM debian:12\nCOPY . .\nRUN apt-get install -y $(cat packages.txt)\n",
        "FROM debian:12\nCOPY . .\nRUN apt-get install -y gcc && make && apt-get purge -y gcc\n",  # nothing of it stays
        'FROM debian:12\nCOPY . .\nRUN if [ -n "$DEV" ]; then apt-get install -y gdb; fi\n',
        "FROM debian:12\nCOPY <<EOF /etc/a\nx\nEOF\n" + APT,
        f"FROM mcr.microsoft.com/windows/servercore:ltsc2022\nCOPY . .\n{APT}",
    ],
)
def test_a_copy_that_does_no_harm(text: str) -> None:
    assert findings("ML103", text) == []


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        (".dockerignore", "*\n!app.py\n", 0),
        (".dockerignore", "*.log\n", 1),
        ("requirements.txt", "-e .\nnumpy\n", 0),
        ("requirements.txt", "numpy\n.\n", 0),
        ("requirements.txt", "numpy\n./vendor/x.whl\n", 0),
        ("requirements.txt", "numpy==2.1.0\n", 1),
    ],
)
def test_what_the_build_context_tells(tmp_path: Path, name: str, content: str, found: int) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / name).write_text(content)
    text = "FROM python:3.13\nCOPY . .\nRUN pip install -r requirements.txt\n"
    assert len(findings("ML103", {"api/Dockerfile": text}, str(tmp_path))) == found


def test_the_installs_are_named() -> None:
    (found,) = findings("ML103", f"FROM debian:12\nCOPY . .\n{APT}RUN pip install -r requirements.txt\n")
    assert found.evidence == {"copy": "COPY . .", "install": "the install of libpq5 (apt)", "line": 3}
    assert [related.location.span.line for related in found.related if related.location.span] == [3, 4]
    assert found.suggestion == "move COPY . . behind line 4; before them copy requirements.txt alone"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"FROM debian:12\nCOPY . .\n{APT}CMD a\n", f"FROM debian:12\n{APT}COPY . .\nCMD a\n"),
        (f"FROM debian:12\nCOPY . \\\n  .\nENV A=b\n{APT}", f"FROM debian:12\nENV A=b\n{APT}COPY . \\\n  .\n"),
        (f"FROM debian:12\nCOPY . .\n{APT.rstrip()}", f"FROM debian:12\n{APT}COPY . ."),
        (f"FROM debian:12\nCOPY . .\nRUN make\n{APT}", None),  # make needs the context
        (f"FROM debian:12\nCOPY . .\nUSER app\n{APT}", None),
        ("FROM python:3.13\nCOPY . .\nRUN pip install -r requirements.txt\n", None),
        (f"FROM debian:12 AS a\nCOPY . .\nFROM a\n{APT}", None),
    ],
)
def test_the_repair(text: str, wanted: str | None) -> None:
    assert repaired("ML103", text) == (text if wanted is None else wanted)
