"""Where the Dockerfiles of a directory are, with git and without."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from memlint.dockerfile.discover import find_dockerfiles, is_dockerfile_name

TAKEN = (
    *(
        "Dockerfile",
        "Containerfile",
        "dockerfile",
        "Dockerfile.dev",
        "Containerfile.x",
        "Containerfile-web",
        "web.Dockerfile",
        "web.dockerfile",
    ),
    *("a.b.Dockerfile", "DOCKERFILE", "Dockerfile.alpine3.20", "Dockerfile.in-docker"),
)
OTHERS = (
    *(
        "dockerfile.py",
        "containerfile.go",
        "Dockerfiles",
        "Dockerfile-dev",
        "MyDockerfile",
        ".Dockerfile",
        "Dockerfile.",
        "compose.yaml",
        ".dockerignore",
    ),
    *("Dockerfile.dockerignore", "web.Dockerfile.dockerignore", "Containerfile.containerignore", "Dockerfile.j2"),
    *("Dockerfile.template", "Dockerfile.tmpl", "Dockerfile.md", "Dockerfile.orig", "Dockerfile~", "Dockerfile.swp"),
)


@pytest.mark.parametrize("name", TAKEN)
def test_names_of_dockerfiles(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize("name", OTHERS)
def test_other_names(name: str) -> None:
    assert not is_dockerfile_name(name)


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("FROM scratch\n")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x", *arguments], cwd=root, check=True, capture_output=True
    )


def test_without_git_all_but_dependencies_are_found(tmp_path: Path) -> None:
    write(tmp_path, "b/Dockerfile", "a/x/web.Dockerfile", "Containerfile", "a/Dockerfile.dockerignore", "a/other")
    write(
        tmp_path,
        "node_modules/x/Dockerfile",
        "a/.venv/Dockerfile",
        "vendor/Dockerfile",
        ".git/Dockerfile",
        ".github/Dockerfile",
    )
    (tmp_path / "c" / "Dockerfile").mkdir(parents=True)
    assert find_dockerfiles(str(tmp_path)) == [
        ".github/Dockerfile",
        "Containerfile",
        "a/x/web.Dockerfile",
        "b/Dockerfile",
    ]


def test_git_ignores_are_respected(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(
        tmp_path,
        "Dockerfile",
        "new/Dockerfile",
        "out/Dockerfile",
        "kept/out/Dockerfile",
        "gone/Dockerfile",
        "vendor/Dockerfile",
    )
    write(tmp_path, "sub/x.Dockerfile", "sub/y.Dockerfile", "info/Dockerfile", "ö \n/Dockerfile")
    (tmp_path / ".gitignore").write_text("out/\n")
    (tmp_path / "sub/.gitignore").write_text("y.*\n")
    (tmp_path / ".git/info/exclude").write_text("info/\n")
    git(tmp_path, "add", "-f", "Dockerfile", "kept/out/Dockerfile", "gone/Dockerfile")
    (tmp_path / "gone/Dockerfile").unlink()
    expected = [
        "Dockerfile",
        "kept/out/Dockerfile",
        "new/Dockerfile",
        "sub/x.Dockerfile",
        "vendor/Dockerfile",
        "ö \n/Dockerfile",
    ]
    assert find_dockerfiles(str(tmp_path)) == expected
    assert find_dockerfiles(str(tmp_path / "sub")) == ["x.Dockerfile"]


def test_a_repository_of_someone_else_runs_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, "Dockerfile")
    program = tmp_path / "monitor"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(program))
    assert find_dockerfiles(str(tmp_path)) == ["Dockerfile"]
    assert not (tmp_path / "ran").exists()


def test_the_environment_of_a_git_hook_does_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        write(tmp_path, f"{name}/{name}.Dockerfile")
        git(tmp_path / name, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "a/.git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "a"))
    assert find_dockerfiles(str(tmp_path / "b")) == ["b.Dockerfile"]


def test_where_git_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, "Dockerfile", "out/Dockerfile")
    (tmp_path / ".gitignore").write_text("out/\n")
    monkeypatch.setenv("PATH", os.devnull)
    assert find_dockerfiles(str(tmp_path)) == ["Dockerfile", "out/Dockerfile"]


def test_links_and_fifos(tmp_path: Path) -> None:
    write(tmp_path, "real")
    (tmp_path / "Dockerfile").symlink_to("real")
    (tmp_path / "Dockerfile.loop").symlink_to("Dockerfile.loop")
    os.mkfifo(tmp_path / "Dockerfile.fifo")
    (tmp_path / "up").symlink_to(tmp_path)
    assert find_dockerfiles(str(tmp_path)) == ["Dockerfile"]


def test_where_there_is_nothing(tmp_path: Path) -> None:
    assert find_dockerfiles(str(tmp_path)) == []
    assert find_dockerfiles(str(tmp_path / "missing")) == []
