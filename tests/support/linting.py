"""Repositories for the tests of the linter."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from memlint.config import Config
from memlint.lint.dockerfiles import Dockerfiles
from memlint.lint.engine import Active
from memlint.lint.gathering import Gathered
from memlint.lint.linting import Linter
from memlint.lint.repository import Repository
from memlint.lint.ruleset import Rule, load_rules
from memlint.lint.selection import active_rules
from memlint.model.finding import Finding

RULES = load_rules()


def repository(files: Mapping[str, str | bytes], root: str = ".") -> Repository:
    """These Dockerfiles."""
    dockerfiles = Dockerfiles(root)
    for path, text in files.items():
        dockerfiles.keep(path, text if isinstance(text, bytes) else text.encode())
    return Repository(dockerfiles)


def config(**settings: object) -> Config:
    """A configuration of the current directory."""
    return Config(directory="/repo", **settings)  # type: ignore[arg-type]


def linter(*selected: str, rules: tuple[Rule, ...] = RULES, **settings: object) -> Linter:
    """A linter with the selected rules; with none, with all."""
    chosen = {"select": selected} if selected else {}
    return Linter(rules, active_rules(rules, config(**chosen, **settings), "/repo"))


def lint(text: str | bytes, *selected: str, path: str = "Dockerfile") -> list[Finding]:
    """What the selected rules find in one file."""
    return linter(*selected).findings(repository({path: text}), (path,))[0]


def gathered(files: Mapping[str, str | bytes]) -> Gathered:
    """These files as if they had been read."""
    return Gathered(repository(files), tuple(sorted(files)), (), ())


def write(home: Path, files: Mapping[str, str | bytes], *, git: bool = False) -> None:
    """The files, in a git work tree if it is to be one."""
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if git:
        subprocess.run(("git", "init", "-q", str(home)), check=True)


__all__ = ["Active", "config", "gathered", "lint", "linter", "repository", "write"]
