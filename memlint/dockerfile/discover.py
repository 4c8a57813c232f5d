"""Where the Dockerfiles of a directory are."""

from __future__ import annotations

import os
import re
import subprocess

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"(?:docker|container)file(?:\..+)?|.+\.dockerfile", re.IGNORECASE)
_OTHERS = re.compile(
    r".+(?:~|\.(?:dockerignore|containerignore|j2|jinja2?|tmpl|tpl|template|erb|ejs|gotmpl|mustache|m4|in"
    r"|md|rst|bak|old|orig|rej|swp|patch|diff))",
    re.IGNORECASE,
)
"""Ignore files, templates that only become Dockerfiles, and what editors leave."""
_SKIPPED = frozenset(
    (
        ".git",
        ".hg",
        ".svn",
        ".jj",
        ".bzr",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "node_modules",
        "bower_components",
        "site-packages",
        "vendor",
        "__pycache__",
    )
)
_SECONDS = 60


def is_dockerfile_name(name: str) -> bool:
    """`Dockerfile`, `Dockerfile.*`, `*.Dockerfile`, `Containerfile`, `Containerfile.*`, in any case."""
    return bool(_NAME.fullmatch(name)) and not _OTHERS.fullmatch(name)


def find_dockerfiles(root: str) -> list[str]:
    """The paths below `root`, relative to it, with slashes, sorted.

    In a git work tree those that git tracks or does not ignore; elsewhere all but those of dependencies.
    """
    listed = _listed(root)
    paths = _walked(root) if listed is None else listed
    found = {path for path in paths if is_dockerfile_name(path.rpartition("/")[2])}
    return sorted(path for path in found if os.path.isfile(os.path.join(root, path)))


def _listed(root: str) -> list[str] | None:
    """What git knows below the directory; None without git. Nothing that the repository configures is run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*"]
    command += ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        result = subprocess.run(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return os.fsdecode(result.stdout).split("\0")


def _walked(root: str) -> Iterator[str]:
    for directory, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name not in _SKIPPED]
        below = os.path.relpath(directory, root).replace(os.sep, "/")
        yield from (name if below == "." else f"{below}/{name}" for name in files)
