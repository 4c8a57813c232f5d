"""One package in several versions, in commands and in the lists that they read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.checks import findings
from support.linting import write

PIP = "FROM python:3.13-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
NPM = "FROM node:22-slim\nWORKDIR /app\nCOPY package*.json ./\nRUN npm ci\n"


def told(home: Path, dockerfiles: Mapping[str, str], lists: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(package, its version, the usual one) of each finding."""
    write(home, {**dockerfiles, **lists})
    found = findings("ML306", dockerfiles, str(home))
    return [(str(e["package"]), str(e["version"]), str(e["usual"])) for e in (each.evidence for each in found)]


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("RUN pip install numpy==1.26.4", "RUN pip install numpy==2.3.1", [("numpy", "1.26.4", "2.3.1")]),
        ("RUN pip install NumPy==1.26.4", "RUN uv pip install numpy==2.3.1", [("numpy", "1.26.4", "2.3.1")]),
        ("RUN pip install numpy==2.3.1", "RUN pip install numpy==2.3.1", []),
        ("RUN pip install numpy", "RUN pip install numpy==2.3.1", []),
        ("RUN pip install 'numpy>=1'", "RUN pip install numpy==2.3.1", []),
        ("RUN pip install flask==1.0", "RUN pip install flask==2.0", []),  # is read, not mapped
        (
            "RUN apt-get install -y libpq5=15.1-0",
            "RUN apt-get install -y libpq5=15.2-0",
            [("libpq5", "15.1-0", "15.2-0")],
        ),
        ("RUN apt-get install -y tzdata=1", "RUN apt-get install -y tzdata=2", []),
        ("RUN npm i sharp@0.32.0", "RUN npm i sharp@0.33.1", [("sharp", "0.32.0", "0.33.1")]),
        ("RUN npm i sharp@^0.32.0", "RUN npm i sharp@0.33.1", []),
        ("RUN gem install pg -v 1.4.0", "RUN gem install pg:1.5.0", [("pg", "1.4.0", "1.5.0")]),
    ],
)
def test_commands(one: str, other: str, found: list[tuple[str, str, str]], tmp_path: Path) -> None:
    files = {"a/Dockerfile": f"FROM vendor/base:1\n{one}\n", "b/Dockerfile": f"FROM vendor/base:1\n{other}\n"}
    assert told(tmp_path, files, {}) == found


def test_distributions_differ_by_nature(tmp_path: Path) -> None:
    files = {f"{v}/Dockerfile": f"FROM debian:1{v}\nRUN apt-get install -y libpq5={v}\n" for v in (1, 2)}
    services = {f"s{path}": text for path, text in files.items()}
    assert told(tmp_path, services, {}) == []


def test_two_names_of_one_distribution(tmp_path: Path) -> None:
    files = {
        "a/Dockerfile": "FROM debian:12\nRUN apt-get install -y libpq5=15.1-0\n",
        "b/Dockerfile": "FROM debian:bookworm\nRUN apt-get install -y libpq5=15.2-0\n",
    }
    assert told(tmp_path, files, {}) == [("libpq5", "15.1-0", "15.2-0")]


def test_requirements_beside_the_dockerfile(tmp_path: Path) -> None:
    files = {"a/Dockerfile": PIP, "b/Dockerfile": PIP, "c/Dockerfile": PIP}
    lists = {
        "a/requirements.txt": "# made\nflask==3.0\nNumPy[x]==1.26.4 \\\n    --hash=sha256:aa\n    # via -r b\n",
        "b/requirements.txt": "numpy==2.3.1 ; python_version > '3'\npandas==2.0\n",
        "c/requirements.txt": "-r more.txt\n",
        "c/more.txt": "numpy===2.3.1\npandas==2.1\n-r more.txt\n",
    }
    write(tmp_path, {**files, **lists})
    first, second = findings("ML306", files, str(tmp_path))
    assert first.location.path == "a/Dockerfile"
    assert first.message.startswith("numpy is 1.26.4 here and 2.3.1 in b/requirements.txt:1 and 1 more")
    (here, there) = first.related
    assert (here.location.path, here.location.span and here.location.span.line) == ("a/requirements.txt", 3)
    assert there.location.path == "b/requirements.txt"
    assert (second.location.path, second.evidence["package"]) == ("b/Dockerfile", "pandas")


@pytest.mark.parametrize(
    ("dockerfile", "path"),
    [
        (PIP, "a/requirements.txt"),
        (PIP.replace("COPY requirements.txt", "COPY a/requirements.txt"), "a/requirements.txt"),
        (PIP.replace("COPY requirements.txt", "COPY deep/requirements.txt"), "a/deep/requirements.txt"),
        (PIP.replace("COPY requirements.txt .", "COPY . ."), "a/requirements.txt"),
        (PIP.replace("COPY requirements.txt .", "COPY . /other"), None),
        (PIP.replace("COPY requirements.txt .", "COPY reqs.txt requirements.txt"), "a/reqs.txt"),
        (PIP.replace("COPY requirements.txt .", "COPY --from=x requirements.txt ."), None),
        (
            PIP.replace("COPY requirements.txt .\n", "").replace(
                "RUN", "RUN --mount=type=bind,target=requirements.txt"
            ),
            "a/requirements.txt",
        ),
        (PIP.replace("WORKDIR /app\n", ""), "a/requirements.txt"),
    ],
)
def test_where_lists_are_looked_for(dockerfile: str, path: str | None, tmp_path: Path) -> None:
    files = {"a/Dockerfile": dockerfile, "b/Dockerfile": "FROM python:3.13-slim\nRUN pip install numpy==2.0\n"}
    lists = {path or "a/requirements.txt": "numpy==1.0\n"}
    assert bool(told(tmp_path, files, lists)) == (path is not None)


def test_locks(tmp_path: Path) -> None:
    files = {"a/Dockerfile": NPM, "b/Dockerfile": NPM}
    lock = '{{"packages": {{"": {{}}, "node_modules/sharp": {{"version": "{}"}}, "node_modules/x": {{}}}}}}'
    lists = {"a/package-lock.json": lock.format("0.32.0"), "b/package-lock.json": lock.format("0.33.1")}
    assert told(tmp_path, files, lists) == [("sharp", "0.32.0", "0.33.1")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "\udc80==\n==\n-r\n-r ../../../etc/passwd\n[\n"),
        ("package-lock.json", "{"),
        ("package-lock.json", "[1]"),
        ("package-lock.json", '{"packages": {"node_modules/sharp": 1, "node_modules/x": {"version": 2}}}'),
        ("package-lock.json", '{"packages": ' + "[" * 100_000),
        ("uv.lock", "package = 1"),
        ("uv.lock", "[["),
        ("uv.lock", '[[package]]\nname = 1\nversion = "1"'),
    ],
)
def test_lists_that_are_none(name: str, text: str, tmp_path: Path) -> None:
    command = {"requirements.txt": "pip install -r requirements.txt", "uv.lock": "uv sync"}.get(name, "npm ci")
    files = {f"{path}/Dockerfile": f"FROM a:1\nCOPY . /app\nWORKDIR /app\nRUN {command}\n" for path in "ab"}
    write(tmp_path, {**files, **{f"{path}/{name}": text.encode("utf-8", "surrogateescape") for path in "ab"}})
    assert findings("ML306", files, str(tmp_path)) == []


def test_a_lock_of_uv(tmp_path: Path) -> None:
    text = "FROM python:3.13-slim\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --frozen\n"
    lists = {f"{name}/uv.lock": f'[[package]]\nname = "numpy"\nversion = "{v}"\n' for name, v in (("a", 1), ("b", 2))}
    assert told(tmp_path, {"a/Dockerfile": text, "b/Dockerfile": text}, lists) == [("numpy", "1", "2")]
