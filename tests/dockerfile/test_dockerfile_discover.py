"""Where the Dockerfiles of a directory are, with git and without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.unprivileged import WITHOUT_PRIVILEGE

from memlint.dockerfile.discover import Found, find_dockerfiles, is_dockerfile_name

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
    *("Dockerfile.a\nb", "Containerfile\n", "a\nb.Dockerfile"),
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
    *("Dockerfile.a\nb.md", "Dockerfile\n"),
)


@pytest.mark.parametrize("name", TAKEN)
def test_names_of_dockerfiles(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize("name", OTHERS)
def test_other_names(name: str) -> None:
    assert not is_dockerfile_name(name)


def test_the_documentation_says_what_is_left_out(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/lint.md").read_text("utf-8")
    directories = re.findall(r"`([^`]+)`", text.partition("of another program is:")[2].partition("- What only")[0])
    endings = re.findall(r"`([^`]+)`", text.partition("- What only looks like")[2].partition("Name such a file")[0])
    assert (len(directories), len(endings)) == (14, 24)
    assert not [ending for ending in endings if is_dockerfile_name(f"Dockerfile{ending}")]
    write(tmp_path, *(f"{directory}/Dockerfile" for directory in directories))
    assert found(tmp_path) == []


def found(root: Path) -> list[str]:
    return list(find_dockerfiles(str(root)).paths)


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
    assert found(tmp_path) == [".github/Dockerfile", "Containerfile", "a/x/web.Dockerfile", "b/Dockerfile"]


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
    assert found(tmp_path) == expected
    assert found(tmp_path / "sub") == ["x.Dockerfile"]


def test_a_repository_of_someone_else_runs_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, "Dockerfile")
    program = tmp_path / "monitor"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(program))
    assert found(tmp_path) == ["Dockerfile"]
    assert not (tmp_path / "ran").exists()


def test_the_environment_of_a_git_hook_does_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        write(tmp_path, f"{name}/{name}.Dockerfile")
        git(tmp_path / name, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "a/.git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "a"))
    assert found(tmp_path / "b") == ["b.Dockerfile"]


def test_where_git_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, "Dockerfile", "out/Dockerfile")
    (tmp_path / ".gitignore").write_text("out/\n")
    monkeypatch.setenv("PATH", os.devnull)
    assert found(tmp_path) == ["Dockerfile", "out/Dockerfile"]


def test_links_and_fifos(tmp_path: Path) -> None:
    write(tmp_path, "real")
    (tmp_path / "Dockerfile").symlink_to("real")
    (tmp_path / "Dockerfile.loop").symlink_to("Dockerfile.loop")
    os.mkfifo(tmp_path / "Dockerfile.fifo")
    (tmp_path / "up").symlink_to(tmp_path)
    assert found(tmp_path) == ["Dockerfile"]


def test_where_there_is_nothing(tmp_path: Path) -> None:
    assert find_dockerfiles(str(tmp_path)) == Found()
    assert find_dockerfiles(str(tmp_path / "missing")) == Found(unreadable={".": "No such file or directory"})


def make_repository(root: Path, *paths: str) -> None:
    """These files, committed, in a repository that ignores `out`."""
    root.mkdir(parents=True)
    git(root, "init", "-q")
    write(root, *paths, "out/Dockerfile")
    (root / ".gitignore").write_text("out\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "all")


def add_submodule(top: Path, other: Path, path: str) -> None:
    git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), path)


def test_repositories_in_the_tree_are_looked_through_by_their_own_ignores(tmp_path: Path) -> None:
    make_repository(tmp_path / "lib", "Dockerfile", "deep/Dockerfile")
    make_repository(tmp_path / "other", "Dockerfile")
    top = tmp_path / "top"
    make_repository(top, "Dockerfile", "web/Dockerfile")
    add_submodule(top, tmp_path / "lib", "mod")
    add_submodule(top / "mod", tmp_path / "other", "in it/sub")
    write(top, "mod/out/Dockerfile", "mod/new/Dockerfile")
    make_repository(top / "nested", "Dockerfile")
    make_repository(top / "out" / "ignored", "Dockerfile")
    (top / "mod" / "up").symlink_to(top)
    below = ["Dockerfile", "deep/Dockerfile", "in it/sub/Dockerfile", "new/Dockerfile"]
    expected = ["Dockerfile", *(f"mod/{path}" for path in below), "nested/Dockerfile", "web/Dockerfile"]
    assert find_dockerfiles(str(top)) == Found(tuple(expected))
    assert found(top / "mod") == below
    assert find_dockerfiles(str(tmp_path)).paths[-len(expected) :] == tuple(f"top/{path}" for path in expected)


def test_submodules_that_are_not_checked_out_are_told_of(tmp_path: Path) -> None:
    make_repository(tmp_path / "lib", "Dockerfile")
    make_repository(tmp_path / "top", "web/Dockerfile")
    for path in ("mod", "deep/mod"):
        add_submodule(tmp_path / "top", tmp_path / "lib", path)
    git(tmp_path / "top", "commit", "-qm", "modules")
    git(tmp_path, "clone", "-q", "top", "clone")
    clone = tmp_path / "clone"
    assert find_dockerfiles(str(clone)) == Found(("web/Dockerfile",), absent=("deep/mod", "mod"))
    assert find_dockerfiles(str(clone / "mod")) == Found(absent=(".",))
    (clone / "mod").rmdir()
    (clone / "deep/mod/Dockerfile").write_text("FROM scratch\n")
    assert find_dockerfiles(str(clone)) == Found(("deep/mod/Dockerfile", "web/Dockerfile"), absent=("mod",))


def unprivileged(root: Path) -> Found:
    """What somebody finds who may not read everything, as root may."""
    script = "import sys, memlint.dockerfile.discover as d; print(d.find_dockerfiles(sys.argv[1]))"
    command = (*WITHOUT_PRIVILEGE, sys.executable, "-c", script, str(root))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: Found = eval(done.stdout, {"Found": Found})  # noqa: S307  # its own repr
    return result


@pytest.fixture
def closed() -> Iterator[Callable[[Path, int], None]]:
    """Takes permissions from directories, and gives them back in the end."""
    changed: list[Path] = []

    def close(path: Path, mode: int) -> None:
        path.chmod(mode)
        changed.append(path)

    yield close
    for path in reversed(changed):
        path.chmod(0o755)


@pytest.mark.parametrize("is_repository", [True, False], ids=["git", "plain"])
@pytest.mark.parametrize(
    ("directory", "mode", "paths", "unreadable"),
    [
        ("svc", 0o000, ("Dockerfile", "b/c/Dockerfile"), ("svc",)),
        ("svc", 0o300, ("Dockerfile", "b/c/Dockerfile"), ("svc",)),
        ("svc", 0o600, ("Dockerfile", "b/c/Dockerfile", "svc/Dockerfile"), ()),
        ("b/c", 0o000, ("Dockerfile", "svc/Dockerfile"), ("b/c",)),
        (".", 0o300, (), (".",)),
        (".", 0o000, (), (".",)),
    ],
)
def test_directories_that_cannot_be_looked_into_are_told_of(
    tmp_path: Path,
    closed: Callable[[Path, int], None],
    is_repository: bool,
    directory: str,
    mode: int,
    paths: tuple[str, ...],
    unreadable: tuple[str, ...],
) -> None:
    root = tmp_path / "top"
    write(root, "Dockerfile", "svc/Dockerfile", "b/c/Dockerfile", "svc'\n': x/other")
    if is_repository:
        git(root, "init", "-q")
    closed(root / directory, mode)
    assert unprivileged(root) == Found(paths, dict.fromkeys(unreadable, "Permission denied"))
    if directory == "b/c":
        assert unprivileged(root / "b").unreadable == {"c": "Permission denied"}
        assert unprivileged(root / "b/c").unreadable == {".": "Permission denied"}


def test_what_git_tracks_in_a_closed_directory_is_still_known(
    tmp_path: Path, closed: Callable[[Path, int], None]
) -> None:
    make_repository(tmp_path / "top", "svc/Dockerfile", "it's\n': x/Dockerfile")
    for name in ("svc", "it's\n': x"):
        closed(tmp_path / "top" / name, 0o000)
    result = unprivileged(tmp_path / "top")
    assert result.paths == ("it's\n': x/Dockerfile", "svc/Dockerfile")
    assert set(result.unreadable) >= {"svc"}
    assert len(result.unreadable) == 2
