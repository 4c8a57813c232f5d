"""A repository of many Dockerfiles takes hardly more memory than one of few, and its time grows with their number."""

from __future__ import annotations

import gc
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from support.linting import RULES, linter, repository

from memlint.config import RuleSettings
from memlint.lint.dockerfiles import Dockerfiles
from memlint.lint.facts import Facts
from memlint.lint.linting import Linter
from memlint.lint.repository import Repository

FEW, MANY = 110, 250
"""From a hundred images on a base, more are not compared with each other: what that takes is there with the few."""
PER_FILE, PER_FINDING = 1536, 2048
"""Bytes that each further Dockerfile, and each further finding with ten other places, may take."""
COUNTS = (100, 300)

PACKAGES = ("libpq5", "imagemagick", "libvips42", "ffmpeg", "libgdal32", "poppler-utils", "libxml2", "nginx")


def service(number: int) -> str:
    """A Dockerfile of some size, unlike any other, that has things in common with some."""
    packages = [name for place, name in enumerate(PACKAGES) if number >> place % 6 & 1] or ["curl"]
    steps = "".join(f"RUN echo step {step} of {number} && sleep {step} || true\n" for step in range(4))
    return (
        f"FROM python:3.{9 + number % 4}-slim\n"
        "RUN apt-get update \\\n && apt-get install -y --no-install-recommends"
        f" {' '.join(packages)} \\\n && rm -rf /var/lib/apt/lists/*\n"
        f"{steps}"
        f"RUN pip install numpy==1.{number % 7}.0 own{number}==2\n"
        f'COPY . /srv\nCMD ["python3", "-m", "app{number}"]\n'
    )


def alike(number: int) -> str:
    """One of many with the same install, one in two of them worded otherwise."""
    names = ("libpq5", "nginx") if number % 2 else ("nginx", "libpq5")
    return f"FROM debian:12\nRUN apt-get update && apt-get install -y {' '.join(names)}\nENV A={number}\n"


def private(number: int) -> str:
    """One of two that install what nobody else does."""
    return (
        f"FROM debian:12\nENV A={number}\nRUN apt-get update && apt-get install -y own{number // 2} && echo {number}\n"
    )


def drifted(number: int) -> str:
    """One with a base of its own, full or slim."""
    return f"FROM python:3.{number // 2}{'-slim' if number % 2 else ''}\nRUN echo {number}\n"


def everything() -> Linter:
    settings = {rule.id: RuleSettings(thresholds={"all_files": True}) for rule in RULES if rule.scope == "repository"}
    return linter(rule=settings)


def written(home: Path, count: int, make: Callable[[int], str]) -> Repository:
    dockerfiles = Dockerfiles(str(home))
    for number in range(count):
        path = f"service{number}/Dockerfile"
        (home / path).parent.mkdir(exist_ok=True)
        (home / path).write_text(make(number))
        dockerfiles.add(path, (home / path).read_bytes())
    return Repository(dockerfiles)


@contextmanager
def traced() -> Iterator[None]:
    re.purge()  # else it depends on the tests before which patterns are compiled anew
    gc.collect()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def peak(home: Path, count: int, make: Callable[[int], str]) -> tuple[int, int]:
    """Bytes that reading and linting so many Dockerfiles takes at most, and the findings."""
    rules = everything()
    with traced():
        files = written(home, count, make)
        found, _ = rules.findings(files, files.paths)
        return tracemalloc.get_traced_memory()[1], len(found)


@pytest.mark.parametrize("make", [service, alike, private, drifted])
def test_each_further_dockerfile_takes_little_memory(tmp_path: Path, make: Callable[[int], str]) -> None:
    peak(tmp_path, 4, make)  # imports, and what is compiled once
    (few, findings), (many, more) = (peak(tmp_path, count, make) for count in (FEW, MANY))
    assert more > findings
    assert many - few < (MANY - FEW) * PER_FILE + (more - findings) * PER_FINDING


def test_few_of_many_are_held_parsed(tmp_path: Path) -> None:
    files = written(tmp_path, FEW, service)
    found, _ = everything().findings(files, files.paths)
    assert found
    held = [each for each in gc.get_objects() if isinstance(each, Facts) and each.dockerfile.path in files.paths]
    assert 0 < len(held) <= 20


def calls(files: Repository) -> int:
    """How many functions of memlint are called for all findings."""
    count = 0

    def counted(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and "memlint" in frame.f_code.co_filename

    rules = everything()
    sys.setprofile(counted)
    try:
        rules.findings(files, files.paths)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("make", [service, alike, private, drifted])
def test_the_work_grows_with_the_files_not_with_their_pairs(make: Callable[[int], str]) -> None:
    few, many = (calls(repository({f"s{each}/Dockerfile": make(each) for each in range(count)})) for count in COUNTS)
    assert many < 4 * few
