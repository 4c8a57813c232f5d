"""From the paths of a call to Dockerfiles."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.linting import write

from memlint.config import Config
from memlint.lint.gathering import Gathered, Standard, find_root, gather

FILES = {
    "Dockerfile": "FROM a\n",
    "web/Dockerfile": "FROM b\n",
    "web/Dockerfile.dev": "FROM c\n",
    "api/api.Dockerfile": "FROM d\n",
    "ignored/Dockerfile": "FROM e\n",
    "readme.md": "",
    ".gitignore": "ignored\n",
}
ALL = ["Dockerfile", "api/api.Dockerfile", "web/Dockerfile", "web/Dockerfile.dev"]


@pytest.fixture(params=["repo", "plain"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """These files, in a git work tree or in a directory that is none."""
    write(tmp_path, FILES, git=request.param == "repo")
    monkeypatch.chdir(tmp_path)
    if request.param == "plain":
        (tmp_path / "ignored" / "Dockerfile").unlink()
    return tmp_path


def gathered(
    *paths: str, standard: Standard | None = None, whole: bool = True, file: str | None = None, **settings: Any
) -> Gathered:
    config = Config(directory=os.getcwd(), file=file, **settings)
    return gather(paths, config, find_root(paths, config, standard), standard, whole=whole)


def names(found: Gathered) -> list[str]:
    return [dockerfile.path for dockerfile in found.repository.dockerfiles]


@pytest.mark.parametrize(
    ("paths", "targets"),
    [
        (["."], ALL),
        (["web"], ALL[2:]),
        (["web/"], ALL[2:]),
        (["./web/../api"], [ALL[1]]),
        (["web/Dockerfile"], ["web/Dockerfile"]),
        (["web/Dockerfile", "web/Dockerfile"], ["web/Dockerfile"]),
        (["web", "web/Dockerfile", "api"], ALL[1:]),
        (["readme.md"], []),
    ],
)
def test_targets(home: Path, paths: list[str], targets: list[str]) -> None:
    assert list(gathered(*paths).targets) == targets
    assert list(gathered(*(str(home / path) for path in paths)).targets) == targets


def test_the_others_are_read_to_compare_with(home: Path) -> None:
    found = gathered("web/Dockerfile")
    is_repository = (home / ".git").exists()
    assert names(found) == (ALL if is_repository else ["web/Dockerfile"])
    assert names(gathered("web/Dockerfile", whole=False)) == ["web/Dockerfile"]
    assert found.targets == ("web/Dockerfile",)


def test_a_configuration_file_makes_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    found = gathered("web/Dockerfile", file="memlint.toml")
    assert names(found) == sorted([*ALL, "ignored/Dockerfile"])


def test_from_below_the_root(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "web")
    found = gathered(".")
    if (home / ".git").exists():
        assert (found.repository.root, list(found.targets)) == (str(home), ["web/Dockerfile", "web/Dockerfile.dev"])
        assert names(found) == ALL
    else:
        assert (found.repository.root, list(found.targets)) == (str(home / "web"), ["Dockerfile", "Dockerfile.dev"])


def test_from_elsewhere(home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert list(gathered(str(home)).targets) == ALL
    (home / "sub").mkdir()
    monkeypatch.chdir(home / "sub")
    assert gathered(str(home / "web/Dockerfile")).errors == ()


def test_a_file_outside_of_the_repository(home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "Dockerfile"
    outside.write_text("FROM x\n")
    assert list(gathered("web/Dockerfile", str(outside)).targets)[-1].endswith("web/Dockerfile")
    assert len(gathered("web/Dockerfile", str(outside)).targets) == 2


@pytest.mark.parametrize(
    ("exclude", "paths", "targets"),
    [
        (("web",), ["."], ALL[:2]),
        (("*.dev",), ["."], ALL[:3]),
        (("web",), ["web"], []),
        (("web",), ["web/Dockerfile"], ["web/Dockerfile"]),
    ],
)
def test_exclusion(home: Path, exclude: tuple[str, ...], paths: list[str], targets: list[str]) -> None:
    found = gathered(*paths, exclude=exclude)
    assert list(found.targets) == targets
    assert not set(names(found)) - set(targets) & {"web/Dockerfile.dev"}


def test_an_ignored_file_is_linted_when_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FILES, git=True)
    monkeypatch.chdir(tmp_path)
    found = gathered("ignored/Dockerfile", "web/Dockerfile")
    assert list(found.targets) == ["ignored/Dockerfile", "web/Dockerfile"]
    assert found.notes == ("ignored/Dockerfile: git ignores it; linted, for it was named",)
    assert gathered(".").notes == ()


def test_standard_input(home: Path) -> None:
    found = gathered("-", standard=Standard(b"FROM x\n"))
    assert (names(found), found.targets, found.standard) == (["-"], ("-",), "-")


def test_standard_input_stands_for_a_file(home: Path) -> None:
    found = gathered("-", standard=Standard(b"FROM x\n", "web/Dockerfile"))
    assert (found.targets, found.standard) == (("web/Dockerfile",), "web/Dockerfile")
    assert [each.stages[0].base for each in found.repository.dockerfiles if each.path == "web/Dockerfile"] == ["x"]
    if (home / ".git").exists():
        assert names(found) == ALL


def test_a_link_is_no_second_file(home: Path) -> None:
    (home / "linked.Dockerfile").symlink_to("Dockerfile")
    found = gathered(".")
    assert len(found.targets) == len(ALL)
    assert list(gathered("linked.Dockerfile").targets) == ["linked.Dockerfile"]
    assert len(names(gathered("linked.Dockerfile"))) in (1, len(ALL))


BAD = {
    "no-stage": (b"# nothing\n", None),
    "nul": (b"FROM a\nRUN \0\n", 2),
    "utf-16": ("\ufeffFROM a\n".encode("utf-16-le"), 1),
    "unknown": (b"FROM a\nFORM b\n", 2),
    "heredoc": (b"FROM a\nRUN <<EOF\n", 2),
    "long": (b"FROM a\n" + b"#" * 70_000 + b"\n", 2),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_parsed_is_located_and_the_others_are_linted(home: Path, name: str) -> None:
    content, line = BAD[name]
    (home / "web" / "Dockerfile").write_bytes(content)
    found = gathered(".")
    assert [error.path for error in found.errors] == ["web/Dockerfile"]
    assert "web/Dockerfile" not in found.errors[0].message
    if line:
        assert found.errors[0].line == line
    assert list(found.targets) == [path for path in ALL if path != "web/Dockerfile"]


def test_others_that_cannot_be_parsed_are_a_note(home: Path) -> None:
    (home / "Dockerfile").write_bytes(b"FROM a\nFORM b\n")
    found = gathered("web/Dockerfile")
    assert found.errors == ()
    if (home / ".git").exists():
        (note,) = found.notes
        assert note.startswith("Dockerfile:2: ")


def test_submodules_that_are_not_checked_out_are_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, FILES, git=True)
    for number in range(5):
        link = f"160000,{'1' * 40},mod{number}"
        subprocess.run(("git", "update-index", "--add", "--cacheinfo", link), cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    (note,) = gathered(".").notes
    assert note.startswith("submodules that are not checked out are not linted (mod0, mod1, mod2, …): ")
    assert gathered("web").notes == gathered("web/Dockerfile").notes == ()
    (note,) = gathered(".", exclude=("mod*", "!mod3")).notes
    assert "(mod3)" in note


def test_repositories_in_the_repository_are_linted_and_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, FILES, git=True)
    write(tmp_path / "nested", FILES, git=True)
    monkeypatch.chdir(tmp_path)
    assert list(gathered(".").targets) == sorted([*ALL, *(f"nested/{path}" for path in ALL)])
    assert "nested/web/Dockerfile" in names(gathered("web/Dockerfile"))
    assert list(gathered(".", exclude=("nested/",)).targets) == ALL
    assert gathered("nested").repository.root == str(tmp_path / "nested")


def _refusing(name: str) -> Callable[..., int]:
    """`os.open`, which may not open files of that name."""
    opened = os.open

    def refuse(path: str, *arguments: int, **more: int) -> int:
        if os.path.basename(path) == name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path, *arguments, **more)

    return refuse


@pytest.mark.parametrize("kind", ["fifo", "absent", "unreadable", "loop", "long name", "nul"])
def test_what_is_no_file(home: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "web" / "broken.Dockerfile"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "unreadable":
        path.write_text("FROM a\n")
        monkeypatch.setattr(os, "open", _refusing(path.name))  # root would read it whatever its mode
    name = {"long name": "x" * 5000, "nul": "a\0b"}.get(kind, "web/broken.Dockerfile")
    found = gathered("Dockerfile", name)
    assert [error.path for error in found.errors] == [name]
    assert list(found.targets) == ["Dockerfile"]


def test_a_directory_that_looks_like_a_dockerfile(home: Path) -> None:
    write(home, {"Dockerfile.d/Dockerfile": "FROM x\n"})
    assert "Dockerfile.d/Dockerfile" in gathered(".").targets


def test_git_that_is_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FileNotFoundError):
        subprocess.run(("git", "--version"), check=False)
    assert set(ALL) <= set(gathered(".").targets)
