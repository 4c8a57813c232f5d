"""What the start of a container writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checks import evidence, findings

NODE = "FROM node:22\nWORKDIR /app\nCOPY . .\n"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (f"{NODE}CMD npm install && npm start\n", "what npm installs"),
        (f'{NODE}CMD ["sh", "-c", "npm ci && exec node a.js"]\n', "what npm installs"),
        (f'{NODE}ENTRYPOINT ["npm", "install"]\n', "what npm installs"),
        (f"{NODE}CMD yarn && yarn start\n", "what yarn installs"),
        ("FROM python:3.13\nCMD pip install numpy; python a.py\n", "what pip installs"),
        ("FROM python:3.13\nCMD python -m pip install -r r.txt && python a.py\n", "what pip installs"),
        ("FROM alpine:3\nENTRYPOINT apk add --no-cache curl && exec sh\n", "what apk installs"),
        (f"{NODE}CMD chown -R node /app && exec gosu node node a.js\n", "all files in /app"),
        (f"{NODE}CMD chown -R node . && exec gosu node node a.js\n", "all files in /app"),
        ("FROM debian:12\nCMD chmod -R 755 /usr && exec a\n", "all files in /usr"),
        ("FROM debian:12\nCMD apt-get update && apt-get upgrade -y && a\n", "packages of the base"),
        ('FROM alpine:3\nENTRYPOINT ["sh", "-c", "apk upgrade openssl; a"]\n', "openssl"),
        ('FROM debian:12\nENTRYPOINT ["tini", "--"]\nCMD apt-get upgrade -y && a\n', "packages of the base"),
        ('FROM debian:12\nENTRYPOINT ["/docker-entrypoint.sh"]\nCMD apt-get upgrade -y\n', "packages of the base"),
        ("FROM debian:12\nENTRYPOINT []\nCMD apt-get upgrade -y && a\n", "packages of the base"),
        (
            'FROM node:22\nCOPY <<EOF /a.sh\n#!/bin/sh\nnpm i -g x\napt-get install -y b\nEOF\nENTRYPOINT ["/a.sh"]\n',
            "what apt-get installs",
        ),
    ],
)
def test_a_start_that_writes(text: str, target: str) -> None:
    assert [found[1] for found in evidence("ML108", text, "target")] == [target]


@pytest.mark.parametrize(
    "text",
    [
        f"{NODE}RUN npm ci\nCMD npm start\n",
        'FROM debian:12\nCMD [ -n "$UPGRADE" ] && apt-get upgrade -y; a\n',
        "FROM debian:12\nCMD apt-get upgrade --dry-run; a\n",
        'FROM amazoncorretto:17\nENTRYPOINT ["java", "-jar", "/a.jar"]\nCMD yum -y update\n',  # arguments of java
        "FROM debian:12\nENTRYPOINT a\nCMD apt-get upgrade -y\n",  # goes nowhere
        f"{NODE}RUN npm install\nCMD npm install && npm start\n",  # there is nothing left to install
        "FROM node:22\nWORKDIR /app\nCMD npm install && npm start\n",  # the project is mounted
        "FROM python:3.13\nADD a.txt /tmp/\nRUN pip install -r /tmp/a.txt\nCMD pip install -r a.txt && sh\n",
        f"{NODE}VOLUME /app\nCMD npm install && npm start\n",
        f"{NODE}CMD npm install && npm start\nCMD npm start\n",  # the last one counts
        f"{NODE}CMD [ -d node_modules ] || npm install; npm start\n",
        f"{NODE}CMD npm --version && npm install --dry-run\n",
        f"{NODE}CMD chown -R node /data /var/log && node a.js\n",
        f"{NODE}VOLUME /app/data\nCMD chown -R node /app/data && node a.js\n",
        f"{NODE}CMD chown node /app && node a.js\n",  # the directory alone
        f"{NODE}USER node\nCMD chown -R node /app; node a.js\n",  # may not
        "FROM node:22 AS dev\nWORKDIR /app\nCOPY . .\nCMD npm install\nFROM node:22\nCMD node a.js\n",
        "FROM postgres:17\nCMD chown -R postgres /var/lib/postgresql && postgres\n",
    ],
)
def test_a_start_that_does_not(text: str) -> None:
    assert findings("ML108", text) == []


@pytest.mark.parametrize(
    ("copy", "entrypoint"),
    [
        ("COPY start.sh /usr/local/bin/", '["start.sh"]'),
        ("COPY start.sh /start.sh", '["/start.sh", "serve"]'),
        ("COPY start.sh /start.sh", '["/bin/sh", "/start.sh"]'),
        ("COPY start.sh /start.sh", '["tini", "--", "/start.sh"]'),
        ("COPY . /app", '["/app/start.sh"]'),
        ("COPY . .", "./start.sh"),
    ],
)
def test_a_start_script(tmp_path: Path, copy: str, entrypoint: str) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "start.sh").write_text('#!/bin/sh\nset -e\nchown -R app:app "$APP_HOME"\nexec gosu app "$@"\n')
    text = f"FROM debian:12\nENV APP_HOME=/app\nWORKDIR /app\nCOPY . /app\n{copy}\nENTRYPOINT {entrypoint}\n"
    (found,) = findings("ML108", {"api/Dockerfile": text}, str(tmp_path))
    assert found.evidence == {"command": 'chown -R app:app "$APP_HOME" in start.sh:3', "target": "all files in /app"}
    assert found.location.span is not None
    assert found.location.span.line == 6


@pytest.mark.parametrize(
    "script",
    [
        "#!/usr/bin/env python3\nchown -R app /app\n",
        "#!/bin/sh\nchown -R app /data\n",
        "#!/bin/sh\nif ! command -v curl; then apk add curl; fi\n",
        "#!/bin/sh\nif then (\n",
        "",
    ],
)
def test_a_start_script_that_does_no_harm(tmp_path: Path, script: str) -> None:
    (tmp_path / "start.sh").write_text(script)
    text = 'FROM debian:12\nCOPY . /app\nENTRYPOINT ["/app/start.sh"]\n'
    assert findings("ML108", {"Dockerfile": text}, str(tmp_path)) == []


def test_a_script_of_the_repository_root(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("apt-get install -y curl\n")
    text = 'FROM debian:12\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n'
    assert len(findings("ML108", {"api/Dockerfile": text}, str(tmp_path))) == 1
