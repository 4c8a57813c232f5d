"""What an image installs, by commands and by lists of packages in its build context."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.effort import effort
from support.linting import repository

from memlint.lint.contents import packages_of


def work(root: Path, text: str) -> list[tuple[str, str | None, int | None]]:
    """The packages of a Dockerfile: name, version, and the line of the list that names them."""
    files = repository({"Dockerfile": text}, str(root))
    dockerfile = files.dockerfile("Dockerfile")
    assert dockerfile is not None
    facts = files.facts(dockerfile)
    found = packages_of(facts.stages, facts, files)
    return [(each.name, each.version, each.line[0] if each.line else None) for each in found]


NPM = "FROM node:22\nCOPY package*.json /app/\nWORKDIR /app\nRUN npm ci\n"
POETRY = "FROM python:3.13\nWORKDIR /app\nCOPY poetry.lock .\nRUN pip install -r poetry.lock\n"


def npm_lock(count: int) -> str:
    packages = {f"node_modules/sharp{number}": {"version": f"1.0.{number}"} for number in range(count)}
    return json.dumps({"packages": {**packages, "node_modules/sharp": {"version": "0.33.5"}}}, indent=1)


def poetry_lock(count: int) -> str:
    packages = [*(f"numpy{number}" for number in range(count)), "numpy"]
    return "".join(f'[[package]]\nname = "{name}"\nversion = "2.1"\n\n' for name in packages)


@pytest.mark.parametrize(
    ("name", "lock", "text", "found"),
    [
        ("package-lock.json", npm_lock(2), NPM.replace("package*", "package-lock"), ("sharp", "0.33.5", 9)),
        ("poetry.lock", poetry_lock(2), POETRY, ("numpy", "2.1", 10)),
    ],
)
def test_a_lock_names_the_line_of_a_package(
    tmp_path: Path, name: str, lock: str, text: str, found: tuple[str, str, int]
) -> None:
    (tmp_path / name).write_text(lock)
    assert work(tmp_path, text) == [found]


@pytest.mark.parametrize(
    ("name", "lock", "text"),
    [("package-lock.json", npm_lock, NPM.replace("package*", "package-lock")), ("poetry.lock", poetry_lock, POETRY)],
)
def test_twice_the_packages_of_a_lock_take_twice_the_effort(
    tmp_path: Path, name: str, lock: Callable[[int], str], text: str
) -> None:
    efforts = []
    for count in (100, 200, 400):
        (tmp_path / name).write_text(lock(count))
        efforts.append(effort(work, tmp_path, text))
    assert efforts[2] < 2.2 * efforts[1] < 2.2 * 2.2 * efforts[0]


def test_twice_the_lists_and_their_copies_take_twice_the_effort(tmp_path: Path) -> None:
    lines = [f"COPY r{number}.txt /r{number}.txt\nRUN pip install -r /r{number}.txt\n" for number in range(800)]
    small, large = (effort(work, tmp_path, "FROM python:3.13\n" + "".join(lines[:count])) for count in (400, 800))
    assert large < 2.3 * small


def test_the_latest_copy_of_a_list_counts(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("numpy==1.0\n")
    (tmp_path / "new.txt").write_text("numpy==2.0\n")
    copies = "COPY old.txt /r.txt\nCOPY new.txt /r.txt\n"
    text = f"FROM python:3.13 AS base\n{copies}FROM base\nRUN pip install -r /r.txt\nCOPY old.txt /r.txt\n"
    assert work(tmp_path, text) == [("numpy", "2.0", 1)]
