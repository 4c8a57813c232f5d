"""What a command does not need, it does not import: starting must stay fast."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.command import FLEET, MEMLINT, Memlint

HEAVY = {"docker", "requests", "urllib3", "rich", "dockerfile_parse", "importlib.metadata", "asyncio"}
SLOW = {
    "typing_extensions",
    "inspect",
    "dataclasses",
    "pathlib",
    "urllib",
    *(("subprocess",) if sys.version_info >= (3, 11) else ()),  # before, uuid imports it, which dockerfile-parse needs
    "shutil",
    "tempfile",
    "difflib",
}
"""Of Python's own and of what others bring: what linting one file does without."""
LINTED = HEAVY - {"dockerfile_parse"} | {"zstandard", "isal", "blake3"}
MEASURED = HEAVY - {"rich"} | {"zstandard", "isal"}
PARSING = {"msgspec", "zstandard", "isal", "blake3", "tomli", "json"}


def imported(command: Memlint, *arguments: str) -> set[str]:
    script = (
        "import sys\n"
        "from memlint.cli.main import main\n"
        f"code = main({list(arguments)!r})\n"
        "sys.stderr.write('\\n'.join(sys.modules))\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run(
        [MEMLINT[0], "-c", script], cwd=command.home, env=command.env(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    return set(done.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (("--version",), {*HEAVY, *PARSING, "argparse"}),
        (("compare", "--help"), {*HEAVY, *PARSING}),
        (("compare", f"oci:{FLEET}", "--platform", "linux/amd64", "-f", "json"), HEAVY),
        (("compare", f"oci:{FLEET}", "--platform", "linux/amd64"), HEAVY - {"rich"}),
        (("cache", "info"), HEAVY),
        (("lint", "--help"), {*HEAVY, *PARSING, *SLOW}),
        (("lint", "Dockerfile"), LINTED | SLOW),
        (("lint", "Dockerfile", "-f", "json"), LINTED | SLOW),
        (("lint",), LINTED | SLOW - {"subprocess"}),
        (("rules",), HEAVY),
        (("measure", "--help"), {*HEAVY, *PARSING}),
        (("measure", "--pid", str(os.getpid()), "-f", "json"), MEASURED | {"rich"}),
        (("measure", "--pid", str(os.getpid()), "-f", "prometheus"), MEASURED | {"rich"}),
        (("measure", "--pid", str(os.getpid())), MEASURED),
        (("exporter", "--help"), {*HEAVY, *PARSING}),
    ],
    ids=[
        *("version", "help", "json", "text", "cache", "lint help", "lint a file", "lint json", "lint", "rules"),
        *("measure help", "measure json", "measure prometheus", "measure", "exporter help"),
    ],
)
def test_imports(command: Memlint, arguments: tuple[str, ...], without: set[str]) -> None:
    (command.home / "Dockerfile").write_text("FROM debian:12@sha256:" + "0" * 64 + "\nRUN apt-get install -y openssl\n")
    assert not imported(command, *arguments) & without


def test_the_probe_sees_what_is_imported(command: Memlint) -> None:
    assert {"argparse", "memlint.cli.parser"} <= imported(command, "compare", "--help")
