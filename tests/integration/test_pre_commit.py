"""The hooks, run by the real pre-commit in a real repository; it installs memlint as users have it installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .daemons import need

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("memlint", "rules", "docs", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")
PINNED = "FROM debian:12@sha256:0d8498a0e9e6a60011df39aab78534cfe940785e7c59d19dfae1eb53ea59babe\n"

pytestmark = pytest.mark.integration


def git(where: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(("git", *who, *arguments), cwd=where, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Project:
    """A user's repository that has the hooks switched on."""

    def __init__(self, home: Path, hooks: Path) -> None:
        self.home = home
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "MEMLINT_"))},
            "PRE_COMMIT_HOME": str(hooks.parent / "cache"),
        }
        home.mkdir()
        git(home, "init", "-q")
        self.write(".pre-commit-config.yaml", _CONFIG.format(hooks=hooks, revision=git(hooks, "rev-parse", "HEAD")))

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        git(self.home, "add", name)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`pre-commit run`, on what is staged."""
        command = (sys.executable, "-m", "pre_commit", "run", "--verbose", *arguments)
        return subprocess.run(
            command, cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )


_CONFIG = """\
repos:
- repo: {hooks}
  rev: {revision}
  hooks:
  - id: memlint
  - id: memlint-repository
    stages: [manual]
"""


@pytest.fixture(scope="module")
def hooks() -> Iterator[Path]:
    """This working tree as a repository of hooks, with a cache that the tests have in common."""
    need("git")
    with TemporaryDirectory(prefix="memlint-hooks-") as directory:
        place = Path(directory) / "memlint"
        place.mkdir()
        for name in SHIPPED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place / name)
        git(place, "init", "-q")
        git(place, "add", ".")
        git(place, "commit", "-qm", "memlint")
        yield place


@pytest.fixture
def project(tmp_path: Path, hooks: Path) -> Project:
    return Project(tmp_path / "project", hooks)


def test_a_commit_of_a_bad_dockerfile_fails_until_it_is_mended(project: Project) -> None:
    project.write("web/Dockerfile", "FROM debian\nRUN apt-get update && apt-get upgrade -y\n")
    done = project.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "warning[ML101]" in done.stdout
    assert "--> web/Dockerfile:1:6" in done.stdout
    project.write("web/Dockerfile", f"{PINNED}RUN true\n")
    done = project.run()
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_files_that_did_not_change_are_compared_with_and_not_reported(project: Project) -> None:
    project.write("api/Dockerfile", "FROM debian:12\n")
    git(project.home, "commit", "-qm", "one")
    project.write("web/Dockerfile", "FROM debian:11\n")
    project.write("readme.md", "text")
    done = project.run()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "--> web/Dockerfile:1:6" in done.stdout
    assert "api/Dockerfile" in done.stdout
    assert "--> api/Dockerfile" not in done.stdout


@pytest.mark.parametrize("name", ["Dockerfile.dev", "web.Dockerfile", "Containerfile"])
def test_names_of_dockerfiles(project: Project, name: str) -> None:
    project.write(name, "FROM debian\n")
    assert "ML101" in project.run().stdout


def test_other_files_are_no_concern(project: Project) -> None:
    project.write("readme.md", "text")
    done = project.run()
    assert (done.returncode, "Skipped" in done.stdout) == (0, True)


def test_the_whole_repository(project: Project) -> None:
    project.write("api/Dockerfile", "FROM debian\n")
    git(project.home, "commit", "-qm", "one")
    project.write("readme.md", "text")
    done = project.run("--hook-stage", "manual", "memlint-repository")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "--> api/Dockerfile:1:6" in done.stdout


def test_options_and_configuration(project: Project) -> None:
    project.write("web/Dockerfile", "FROM debian\n")
    project.write("memlint.toml", "ignore = ['ML101', 'ML102']\n")
    assert project.run().returncode == 0
    project.write("web/Dockerfile", "FROM debian\nWRONG\n")
    done = project.run()
    assert done.returncode != 0
    assert "web/Dockerfile:2: " in done.stdout
