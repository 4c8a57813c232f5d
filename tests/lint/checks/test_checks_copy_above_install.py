"""Copies of the build context before an install."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.checks import evidence, findings, repaired
from support.linting import linter, repository

from memlint.config import RuleSettings

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
        (f"FROM debian:12\nCOPY . /etc/apt/\nCOPY . /srv\n{APT}", 3),
        (f"FROM debian:12\nCOPY . /etc/nginx\n{APT}", 2),
        (f"FROM debian:12\nCOPY . /srv\n{APT}RUN apt-key add /srv/key.gpg\n{APT}", 2),
        ("FROM python:3.13\nWORKDIR /a\nCOPY . .\nRUN pip install -r /a/requirements.txt\n", 3),
        (f"FROM debian:12\nONBUILD COPY . .\nONBUILD {APT}", 2),  # in each image that is built on it
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
        f"FROM debian:12\nCOPY . .\nONBUILD {APT}",  # so is that one
        f"FROM debian:12\nCOPY sources.list /etc/apt/\n{APT}",
        f"FROM debian:12\nCOPY --from=registry.example/x:1 / /\n{APT}",
        f"FROM debian:12\nCOPY . /etc/apt/\n{APT}",
        f"FROM debian:12\nWORKDIR /etc\nCOPY . apt/sources.list.d\n{APT}",
        f"FROM debian:12\nCOPY . /usr/local/share/ca-certificates\n{APT}",
        f"FROM debian:12\nCOPY . /srv\nRUN cp /srv/a.list /etc/apt/sources.list.d/\n{APT}",
        f"FROM debian:12\nCOPY . .\nRUN cat ./a.list > /etc/apt/sources.list\n{APT}",
        f"FROM debian:12\nWORKDIR /srv\nCOPY . .\nRUN apt-key add key.gpg\n{APT}",
        "FROM alpine:3.20\nCOPY . /srv\nRUN apk add --repositories-file /srv/repositories libpq\n",
        "FROM alpine:3.20\nCOPY . /srv\nRUN apk add --keys-dir=/srv/keys libpq\n",
        "FROM python:3.13\nCOPY . /srv\nRUN pip install --no-index --find-links=/srv/wheels numpy\n",
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


UV = "FROM python:3.13\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen --no-install-project\nCOPY . .\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{UV}RUN uv sync --frozen\n", 0),  # the project itself is what is left
        (f"{UV}RUN uv sync --frozen && apt-get update && apt-get install -y libpq5\n", 1),
        ("FROM python:3.13\nCOPY . .\nRUN uv sync --frozen --no-install-project\nRUN uv sync --frozen\n", 1),
        (
            (
                "FROM python:3.13\nRUN --mount=type=bind,source=uv.lock,target=uv.lock"
                " --mount=type=bind,source=pyproject.toml,target=pyproject.toml uv sync --locked --no-install-project\n"
                "COPY . /app\nRUN uv sync --locked\n"
            ),
            0,
        ),
        ("FROM python:3.13\nCOPY r.txt .\nRUN pip install -r r.txt\nCOPY . .\nRUN pip install -r r.txt .\n", 0),
        ("FROM python:3.13\nCOPY r.txt .\nRUN pip install -r r.txt\nCOPY . .\nRUN pip install -r ./r.txt\n", 0),
        ("FROM python:3.13\nCOPY r.txt .\nRUN pip install -r r.txt\nCOPY . .\nRUN pip install -r r.txt -r s.txt\n", 1),
        ("FROM python:3.13\nRUN pip install numpy==2.1.0\nCOPY . .\nRUN pip install numpy==2.1.0\n", 0),
        ("FROM python:3.13\nRUN pip install numpy==2.1.0\nCOPY . .\nRUN pip install numpy==2.2.0\n", 1),
        ("FROM python:3.13\nRUN uv pip install -r r.txt\nCOPY . .\nRUN pip install -r r.txt\n", 1),
        (f"FROM debian:12 AS a\n{APT}FROM a\nCOPY . .\n{APT}", 0),
        (
            (
                "FROM python:3.13 AS deps\nRUN uv sync --no-install-project\nFROM python:3.13\n"
                "COPY --from=deps /app/.venv /app/.venv\nCOPY . .\nRUN uv sync\n"
            ),
            0,
        ),
        ("FROM ruby:3.4\nCOPY Gemfile Gemfile.lock ./\nRUN bundle install\nCOPY . .\nRUN bundle install\n", 0),
    ],
)
def test_what_was_installed_before_the_copy(text: str, found: int) -> None:
    assert len(findings("ML103", text)) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("COPY package.json package-lock.json ./\nRUN npm ci", "RUN npm ci"),
        ("COPY pnpm-lock.yaml ./\nRUN pnpm fetch", "RUN pnpm install --offline"),
        ("COPY package.json yarn.lock ./\nRUN yarn install", "RUN yarn install"),
    ],
)
def test_managers_of_node_where_they_are_asked_for(before: str, after: str) -> None:
    settings = {"ML103": RuleSettings(thresholds={"managers": ("npm", "pnpm", "yarn")})}
    rules = linter("ML103", rule=settings)
    for text, found in ((f"{before}\nCOPY . .\n{after}", 0), (f"COPY . .\n{after}", 1)):
        files = repository({"Dockerfile": f"FROM node:22\n{text}\n"})
        assert len(rules.findings(files, ("Dockerfile",))[0]) == found


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
    (found,) = findings("ML103", "FROM python:3.13\nCOPY . .\nRUN uv sync\n")
    assert found.suggestion == "move COPY . . behind line 3; before them copy pyproject.toml and uv.lock alone"


def test_a_run_that_does_more_is_parted() -> None:
    (found,) = findings("ML103", f"FROM debian:12\nCOPY . /srv\n{APT.rstrip()} && rm /srv/key\n")
    assert found.suggestion == "install before COPY . /srv, in a RUN of its own"
    (found,) = findings("ML103", f"FROM debian:12\nCOPY . .\nRUN make\n{APT}")
    assert found.suggestion == "install before COPY . ., in a RUN of its own"


def test_few_of_many_installs_are_named() -> None:
    (found,) = findings("ML103", f"FROM debian:12\nCOPY . /srv\n{APT * 40}")
    assert len(found.related) == 10
    assert found.suggestion == "move COPY . /srv behind line 42"


IN_SRV = "FROM debian:12\nWORKDIR /srv\n"
MORE = APT.rstrip()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"{IN_SRV}COPY . .\n{APT}CMD a\n", f"{IN_SRV}{APT}COPY . .\nCMD a\n"),
        (f"{IN_SRV}COPY . \\\n  .\nENV A=b\n{APT}", f"{IN_SRV}ENV A=b\n{APT}COPY . \\\n  .\n"),
        (f"{IN_SRV}COPY . .\n{APT.rstrip()}", f"{IN_SRV}{APT}COPY . ."),
        (
            f"{IN_SRV}# hadolint ignore=DL1\nCOPY . .\n# b\n{APT}",
            f"{IN_SRV}# b\n{APT}# hadolint ignore=DL1\nCOPY . .\n",
        ),
        (f'{IN_SRV}COPY [".", "."]\n{APT}', f'{IN_SRV}{APT}COPY [".", "."]\n'),
        (
            f"{IN_SRV}COPY . .\n{MORE} >/dev/null 2>&1 && rm -rf /var/lib/apt/lists/*\n",
            f"{IN_SRV}{MORE} >/dev/null 2>&1 && rm -rf /var/lib/apt/lists/*\nCOPY . .\n",
        ),
        (f"FROM debian:12\nCOPY . /usr/src/app\n{APT}", f"FROM debian:12\n{APT}COPY . /usr/src/app\n"),
        (f"FROM debian:12\nCOPY . .\n{APT}", None),  # the base may have set any directory
        (f"{IN_SRV}COPY . .\nRUN make\n{APT}", None),  # make needs the context
        (f"{IN_SRV}COPY . .\nUSER app\n{APT}", None),
        ("FROM python:3.13\nWORKDIR /srv\nCOPY . .\nRUN pip install -r requirements.txt\n", None),
        (f"FROM debian:12 AS a\nCOPY . /srv\nFROM a\n{APT}", None),
        (f"FROM debian:12\nCOPY . /srv\n{MORE} && rm -rf /srv/.git /srv/secret.key\n", None),  # they would ship
        (f"{IN_SRV}COPY . .\n{MORE} && rm -rf .git\n", None),
        (f"{IN_SRV}COPY . app\n{MORE} && rm -rf ../srv/app/.git\n", None),
        (f"FROM debian:12\nCOPY . /srv\n{MORE} && rm -rf /s*\n", None),
        (f"FROM debian:12\nCOPY . /srv/app\n{MORE} && rm -rf /srv\n", None),
        (f"FROM debian:12\nCOPY . /srv\n{MORE} && echo prod > /srv/ENV\n", None),
        (f'FROM debian:12\nCOPY . /srv\n{MORE} && echo prod >>"/srv"/ENV\n', None),
        (f"{IN_SRV}COPY . .\n{MORE} && echo prod >ENV\n", None),
        (f"{IN_SRV}COPY . .\n{MORE} && echo prod >$FILE\n", None),
        (f"FROM debian:12\nCOPY . /srv\n{MORE} && mkdir -p /srv/log\n", None),
        (f"FROM debian:12\nCOPY . /home/app\n{MORE} && useradd -m app\n", None),
        (f"FROM debian:12\nCOPY . /srv\n{MORE} && useradd -d /srv app\n", None),
        ("FROM debian:12\nCOPY . /srv\nRUN APT_CONFIG=/srv/apt.conf apt-get install -y libpq5\n", None),
        (f"FROM debian:12\nCOPY . /srv\nENV PATH=/srv/bin:$PATH\n{APT}", None),
        (f"FROM debian:12\nCOPY . /srv\nRUN --mount=type=cache,target=/srv/cache {APT[4:]}", None),
        (f"FROM debian:12\nENV D=a\nCOPY . /srv/$D\nENV D=b\n{APT}", None),
        (f"FROM debian:12\nCOPY . /srv\nRUN <<EOF\n{APT[4:]}rm /srv/key\nEOF\n", None),
        (f"FROM debian:12\nCOPY . /\n{APT}", None),
        (f"FROM debian:12\nCOPY . /etc/nginx\n{APT}", None),  # the package has files there, too
        (f"FROM debian:12\nCOPY . /usr/local/bin\n{APT}", None),
    ],
)
def test_the_repair(text: str, wanted: str | None) -> None:
    assert repaired("ML103", text) == (text if wanted is None else wanted)
